import type { KubeConfig } from '@kubernetes/client-node';
import {
  request as httpRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { ApiError, errorOfAnswer, errorOfFailure } from './api-error.ts';
import { LineSplitter } from './line-splitter.ts';

/** Media types of the ways to change an object in part. */
export const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  /** Server-side apply. JSON is YAML. */
  apply: 'application/apply-patch+yaml',
} as const;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the body; JSON without it. */
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

export interface StreamRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The server has begun to answer. */
  readonly onOpen?: () => void;
  readonly onLine: (line: string) => void;
  /** A stream that says nothing for this long is given up. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** More requests than this at once wait here rather than in the API server. */
const MAX_CONNECTIONS = 16;

/**
 * Requests to one API server over kept connections, with the credentials of a kubeconfig. It neither retries nor logs:
 * whoever asked knows what a failure means.
 */
export class ApiClient {
  readonly kubeConfig: KubeConfig;
  readonly #server: string;
  readonly #isProxied: boolean;
  readonly #agent: HttpAgent;
  /** Streams stay open for minutes: they take no place among the connections of requests. */
  readonly #streamAgent: HttpAgent;

  /** @throws when the kubeconfig names no cluster */
  constructor(kubeConfig: KubeConfig) {
    const cluster = kubeConfig.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig has no current context with a cluster');
    this.kubeConfig = kubeConfig;
    this.#server = cluster.server.replace(/\/$/, '');
    this.#isProxied = cluster.proxyUrl !== undefined && cluster.proxyUrl !== '';
    const Agent = this.#server.startsWith('https:') ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, scheduling: 'lifo' });
    this.#streamAgent = new Agent({ keepAlive: false });
  }

  /**
   * @returns the JSON that the server answered
   * @throws {ApiError} for every failure, also when `signal` is aborted
   */
  async request(request: ApiRequest, signal?: AbortSignal): Promise<unknown> {
    const what = `${request.method} ${request.path}`;
    const timeout = AbortSignal.timeout(request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const ends = signal ? AbortSignal.any([signal, timeout]) : timeout;
    let answer: Answer;
    try {
      answer = await this.#send(request, ends);
    } catch (error) {
      throw errorOfFailure(what, timeout.aborted ? timeout.reason : error);
    }
    if (answer.status >= 400) throw errorOfAnswer(what, answer);
    try {
      return JSON.parse(answer.text) as unknown;
    } catch (cause) {
      throw new ApiError(`${what}: the answer is not JSON`, {
        status: answer.status,
        reason: 'InvalidAnswer',
        cause,
      });
    }
  }

  /**
   * Reads an answer line by line as it comes.
   * @returns when the server ends it
   * @throws {ApiError} for every failure, also silence and when `signal` is aborted
   */
  async stream({ path, query, onOpen, onLine, silenceMs, signal }: StreamRequest): Promise<void> {
    const what = `GET ${path}`;
    const silence = new AbortController();
    const timer = setTimeout(() => {
      silence.abort(new Error(`nothing came for ${String(silenceMs)} ms`));
    }, silenceMs);
    // What the handler of a line throws is a fault of ours, and not to be taken for one of the connection.
    const io = async <T>(action: () => Promise<T>): Promise<T> => {
      try {
        return await action();
      } catch (error) {
        throw errorOfFailure(what, silence.signal.aborted ? silence.signal.reason : error);
      }
    };
    try {
      const ends = AbortSignal.any([signal, silence.signal]);
      const response = await io(async () =>
        open(
          this.#urlOf(path, query),
          await this.#options({ method: 'GET', agent: this.#streamAgent, signal: ends }),
        ),
      );
      if (response.statusCode !== 200) {
        const text = Buffer.concat(await io(() => response.toArray())).toString();
        throw errorOfAnswer(what, { status: response.statusCode ?? 0, headers: response.headers, text });
      }
      onOpen?.();
      const lines = new LineSplitter(onLine);
      const chunks = (response as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
      for (
        let next = await io(() => chunks.next());
        next.done !== true;
        next = await io(() => chunks.next())
      ) {
        timer.refresh();
        lines.push(next.value);
      }
    } finally {
      silence.abort();
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#agent.destroy();
    this.#streamAgent.destroy();
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const body = request.body === undefined ? undefined : bodyText(request.body);
    const { method, contentType = 'application/json' } = request;
    const options = await this.#options({ method, agent: this.#agent, signal });
    if (body !== undefined) {
      options.headers['content-type'] = contentType;
      options.headers['content-length'] = Buffer.byteLength(body);
    }
    const url = this.#urlOf(request.path, request.query);
    try {
      return await exchange(url, options, body);
    } catch (error) {
      // The server had closed the kept connection at the moment it was used again: nothing was read.
      if (error instanceof StaleConnection) return exchange(url, options, body);
      throw error;
    }
  }

  async #options({
    method,
    agent,
    signal,
  }: {
    readonly method: string;
    readonly agent: HttpAgent;
    readonly signal: AbortSignal;
  }): Promise<Omit<RequestOptions, 'headers'> & { headers: OutgoingHttpHeaders }> {
    const headers: OutgoingHttpHeaders = { accept: 'application/json', 'user-agent': 'metallb-frr' };
    const options = { method, signal, headers };
    // Reads the token anew when it has been exchanged.
    await this.kubeConfig.applyToHTTPSOptions(options);
    // The agent that client-node made opens a connection for each request; only it knows the way through a proxy.
    return this.#isProxied ? options : { ...options, agent };
  }

  #urlOf(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(this.#server + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }
}

/** ECMAScript's JSON.parse source text access, which TypeScript's library does not know yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** JSON in which a bigint is a number with all its digits: the API's int64 goes beyond what a double holds. */
function bodyText(body: unknown): string {
  return JSON.stringify(body, (_key, value: unknown) =>
    typeof value === 'bigint' ? rawJSON(value.toString()) : value,
  );
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

class StaleConnection extends Error {}

async function exchange(url: URL, options: RequestOptions, body: string | undefined): Promise<Answer> {
  const response = await open(url, options, body);
  const chunks = (await response.toArray()) as Buffer[];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString(),
  };
}

/** Sends a request. @returns its answer as soon as the headers are there */
function open(url: URL, options: RequestOptions, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, options, resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && error.code === 'ECONNRESET';
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    request.end(body);
  });
}
