/** What a test cluster could not do. `code` is stable; the message is for people and says what to do or to read. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}

export type ClusterErrorCode =
  | 'ERR_CLUSTER_PRIVILEGES'
  | 'ERR_CLUSTER_PROGRAM_MISSING'
  | 'ERR_CLUSTER_EXISTS'
  | 'ERR_CLUSTER_UNKNOWN'
  | 'ERR_CLUSTER_COMPONENT'
  | 'ERR_CLUSTER_TIMEOUT'
  | 'ERR_CLUSTER_BUSY'
  | 'ERR_CLUSTER_API';
