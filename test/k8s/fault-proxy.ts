import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiServer } from '../cluster/api-server.ts';
import { atEnd, tempDir } from '../support/index.ts';

/** One request as it came to the proxy. */
export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly body: string;
}

/** An answer of the proxy's own. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What becomes of a request: undefined lets it through. A promise holds the request for as long as it is not settled; what
 * is let through afterwards reaches the API server also when whoever sent it is gone.
 */
export type Rule = (request: SeenRequest) => OwnAnswer | undefined | Promise<OwnAnswer | undefined>;

/** Between processes of ours and the API server: TLS with the server's own certificate, and faults on demand. */
export interface FaultProxy {
  readonly kubeconfigPath: string;
  /** Every request that came, also those that never got an answer. */
  readonly requests: readonly SeenRequest[];
  /** From now on everything that the API server says arrives later by this long, watches included. */
  setDelay(ms: number): void;
  setRule(rule: Rule | undefined): void;
  /** Breaks all connections and every new one. */
  cut(): void;
  mend(): void;
}

/** Starts a proxy in front of an API server; it ends after the last test of the file. */
export async function startFaultProxy(api: ApiServer): Promise<FaultProxy> {
  const certificates = join(api.folder, 'pki');
  const [cert, key] = await Promise.all([
    readFile(join(certificates, 'apiserver.crt')),
    readFile(join(certificates, 'apiserver.key')),
  ]);
  const agent = new Agent({ ca: api.caData, keepAlive: true });
  const requests: SeenRequest[] = [];
  let delayMs = 0;
  let rule: Rule | undefined;
  let isCut = false;

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = Buffer.concat((await incoming.toArray()) as Buffer[]).toString();
    const request = { method: incoming.method ?? '', url: incoming.url ?? '', body };
    requests.push(request);
    const own = await rule?.(request);
    if (own) {
      outgoing.writeHead(own.status, { 'content-type': 'application/json', ...own.headers });
      outgoing.end(statusText(own.status));
      return;
    }
    const answer = await sendOn(new URL(request.url, api.url), { agent, incoming, body });
    outgoing.on('close', () => answer.destroy());
    await copyLate(answer, outgoing, () => delayMs);
  };
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    // A connection that broke on either side: the other one breaks too, as on a wire.
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.on('connection', (socket) => {
    if (isCut) socket.destroy();
  });
  const port = await listen(server);
  atEnd(async () => {
    server.closeAllConnections();
    agent.destroy();
    server.close();
    await once(server, 'close');
  });
  const kubeconfigPath = join(await tempDir(), 'proxied.conf');
  const kubeconfig = await readFile(api.kubeconfigPath, 'utf8');
  await writeFile(kubeconfigPath, kubeconfig.replace(api.url, `https://127.0.0.1:${String(port)}`));
  return {
    kubeconfigPath,
    requests,
    setDelay: (ms) => {
      delayMs = ms;
    },
    setRule: (next) => {
      rule = next;
    },
    cut: () => {
      isCut = true;
      server.closeAllConnections();
    },
    mend: () => {
      isCut = false;
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function sendOn(
  url: URL,
  { agent, incoming, body }: { agent: Agent; incoming: IncomingMessage; body: string },
): Promise<IncomingMessage> {
  const { method = 'GET', headers } = incoming;
  const { connection: _connection, 'transfer-encoding': _encoding, host: _host, ...kept } = headers;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpsRequest(url, { agent, method, headers: kept }, resolve);
  request.on('error', reject);
  request.end(body);
  return promise;
}

/** Each piece leaves as late as it should, and in order; headers with the first piece. */
async function copyLate(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  delayMs: () => number,
): Promise<void> {
  const { statusCode = 502, headers } = answer;
  const { connection: _connection, 'transfer-encoding': _encoding, ...kept } = headers;
  let last = Promise.resolve();
  const later = (action: () => void): void => {
    const wait = delay(delayMs(), undefined, { ref: false });
    last = last.then(() => wait).then(action);
  };
  later(() => {
    outgoing.writeHead(statusCode, kept);
    outgoing.flushHeaders();
  });
  answer.on('data', (chunk: Buffer) => {
    later(() => outgoing.write(chunk));
  });
  await once(answer, 'end');
  later(() => outgoing.end());
  await last;
}

function statusText(code: number): string {
  const message = `made up by the tests: ${String(code)}`;
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message });
}
