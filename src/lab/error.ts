/** What the lab could not do. `code` is stable; the message is for people and says what to do. */
export class LabError extends Error {
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabError';
    this.code = code;
  }
}

export type LabErrorCode =
  | 'ERR_LAB_PRIVILEGES'
  | 'ERR_LAB_PROGRAM_MISSING'
  | 'ERR_LAB_BIND_SOURCE'
  | 'ERR_LAB_EXISTS'
  | 'ERR_LAB_UNKNOWN'
  | 'ERR_LAB_NODE_FAILED'
  | 'ERR_LAB_EXEC_FAILED'
  | 'ERR_LAB_BUSY'
  | 'ERR_LAB_TIMEOUT';
