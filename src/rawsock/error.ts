/** What a socket was wanted on, for messages: `eth0`, or `interface 3` where only its number is known. */
export interface InterfaceRef {
  readonly name?: string | undefined;
  readonly index?: number | undefined;
}

/**
 * A socket that could not be opened, used or kept. `code` is the kernel's name of the error (`EPERM`, `ENODEV`,
 * `ENETDOWN`, ...), or one of
 * - `ERR_ADDON_MISSING`: an addon is not built, or is not of this version of the sources;
 * - `ERR_SOCKET_CLOSED`: used after it was closed;
 * - `ERR_INVALID_ARG_TYPE`: an argument is not what it must be.
 */
export class RawSocketError extends Error {
  readonly code: string;
  /** Of several frames, how many the kernel took before the one that it did not. */
  readonly sent: number;

  constructor(code: string, message: string, options: ErrorOptions & { readonly sent?: number } = {}) {
    super(message, options);
    this.name = 'RawSocketError';
    this.code = code;
    this.sent = options.sent ?? 0;
  }
}

/** What to do about an error, by its code. */
const ADVICE: Readonly<Record<string, string>> = {
  EPERM: 'run this as root, or give it CAP_NET_RAW (in a pod: securityContext.capabilities.add: [NET_RAW])',
  EACCES: 'run this as root, or give it CAP_NET_RAW (in a pod: securityContext.capabilities.add: [NET_RAW])',
  ENODEV: 'there is no such interface in this network namespace; `ip link` lists those there are',
  ENXIO: 'there is no such interface in this network namespace; `ip link` lists those there are',
  ENETDOWN: 'the interface is down or about to go: open it again when it is up',
  EAFNOSUPPORT: 'the kernel has no such sockets: load its module (modprobe af_packet, or modprobe ipv6)',
  EAGAIN: 'the send buffer is full: send again in a moment',
  ENOBUFS: 'the queue of the interface is full: send again in a moment',
  ENOMEM: 'the kernel is short of memory, or of what net.core.optmem_max allows a socket',
  EMSGSIZE: 'the frame is larger than the MTU of the interface',
  EADDRNOTAVAIL:
    'the address, or a membership of this group, is not on the interface; it may have no link-local address',
  EMFILE: 'this process has too many open files: raise its limit (ulimit -n)',
};

/** An error of the kernel as a {@link RawSocketError}; `doing` continues "could not". */
export function rawSocketError(on: InterfaceRef, doing: string, cause: unknown): RawSocketError {
  const code = codeOf(cause) ?? 'ERR_RAW_SOCKET';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const known = code === 'ERR_RAW_SOCKET' ? reason : `${code} (${reason})`;
  const advice = ADVICE[code];
  const message = `${interfaceText(on)}: could not ${doing}: ${known}${advice === undefined ? '' : `: ${advice}`}`;
  return new RawSocketError(code, message, { cause, sent: sentOf(cause) });
}

export function interfaceText({ name, index }: InterfaceRef): string {
  return name ?? `interface ${index ?? '?'}`;
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

function sentOf(cause: unknown): number {
  if (!(cause instanceof Error) || !('sent' in cause)) return 0;
  return typeof cause.sent === 'number' ? cause.sent : 0;
}
