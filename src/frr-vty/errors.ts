/** Why FRR could not be reached or did not answer. What FRR says of single lines is a {@link RefusedLine}, not this. */
export type VtyErrorCode =
  'VTYSH_NOT_FOUND' | 'VTYSH_TIMEOUT' | 'VTYSH_EXITED' | 'FRR_NOT_RUNNING' | 'CONFIG_FILE_NOT_WRITTEN';

export class VtyError extends Error {
  readonly code: VtyErrorCode;

  constructor(code: VtyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VtyError';
    this.code = code;
  }
}
