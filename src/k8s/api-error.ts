import type { IncomingHttpHeaders } from 'node:http';

/** An answer of the API server that is not a success, or none at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `reason` of the Status object that the server sent (`Conflict`, `NotFound`, ...), or the error code of the network. */
  readonly reason: string;
  /** What the server asks to wait (`Retry-After`), in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: {
      readonly status: number;
      readonly reason: string;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The server finds the request wrong, and will hardly find the same one right the next moment. */
export function isRefusal({ status }: ApiError): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

/** The error for an answer with a status of 400 or above. */
export function errorOfAnswer(
  what: string,
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string },
): ApiError {
  const status = statusObject(answer.text);
  const said = status?.message ?? answer.text.slice(0, 300).trim();
  const seconds = Number(answer.headers['retry-after']);
  return new ApiError(`${what}: ${said || `HTTP status ${String(answer.status)}`}`, {
    status: answer.status,
    reason: status?.reason ?? '',
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
  });
}

/** The error for a request that got no answer. */
export function errorOfFailure(what: string, cause: unknown): ApiError {
  const isTimeout = cause instanceof Error && cause.name === 'TimeoutError';
  const code =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const reason = isTimeout ? 'Timeout' : (code ?? 'Unreachable');
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new ApiError(`${what}: ${detail}`, { status: 0, reason, cause });
}

function statusObject(text: string): { readonly message?: string; readonly reason?: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { message, reason } = value as Record<string, unknown>;
    return {
      ...(typeof message === 'string' && { message }),
      ...(typeof reason === 'string' && { reason }),
    };
  } catch {
    return undefined; // Not JSON: a proxy's page, or plain text.
  }
}
