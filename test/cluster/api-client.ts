import { Agent, request as httpsRequest } from 'node:https';
import { ClusterError } from './error.ts';

export interface ApiClientOptions {
  /** `https://HOST:PORT`. */
  readonly server: string;
  /** PEM. */
  readonly caData: string;
  readonly token: string;
  /** Name in the server's certificate, where it is not reached under one of them. */
  readonly tlsServerName?: string;
}

/** The API server's answer to a request that it refused. */
export class ApiStatusError extends ClusterError {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super('ERR_CLUSTER_API', message);
    this.status = status;
  }
}

/** Anything JSON; callers that read it say what they expect. */
export type Json = Readonly<Record<string, unknown>>;

export interface ApiClient {
  /**
   * One request with JSON in and out, for at most 15 s. A path that answers with plain text gives `{ text }`.
   * @param contentType `application/json` unless given; patches need their own
   * @throws ApiStatusError when the answer is not 2xx
   */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<Json>;
  close(): void;
}

const TIMEOUT_MS = 15_000;

/**
 * A client of few words for setting tests up. The product's own client is what is tested, so this one shares nothing with
 * it.
 */
export function apiClient({ server, caData, token, tlsServerName }: ApiClientOptions): ApiClient {
  const servername = tlsServerName === undefined ? {} : { servername: tlsServerName };
  const agent = new Agent({ ca: caData, keepAlive: true, maxSockets: 16, ...servername });
  return {
    request: async (method, path, body, contentType = 'application/json') => {
      const { status, text } = await send({
        ...{ agent, url: new URL(path, server), method },
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        body: body === undefined ? '' : JSON.stringify(body),
      });
      const answer = parse(text);
      if (status >= 200 && status < 300) return answer;
      const reason = typeof answer.message === 'string' ? answer.message : text.slice(0, 500);
      throw new ApiStatusError(status, `${method} ${path}: ${status}: ${reason}`);
    },
    close: () => {
      agent.destroy();
    },
  };
}

interface Sent {
  readonly agent: Agent;
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function send({ agent, url, method, headers, body }: Sent): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const request = httpsRequest(url, { agent, method, headers, signal }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, text });
    });
    response.on('error', reject);
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

function parse(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : { text };
  } catch {
    return { text }; // `/readyz` and its kind say "ok"
  }
}
