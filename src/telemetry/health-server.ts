import { createServer } from 'node:http';
import { listenUntil } from './listen.ts';

/** Why something is not as it should be; empty: all is well. */
export type HealthCheck = () => Promise<readonly string[]> | readonly string[];

/**
 * Serves `/healthz` and `/livez` (the process answers) and `/readyz` (the check finds nothing) over plain HTTP until
 * `signal` is aborted. Not ready is status 503, with one reason a line.
 *
 * @throws when the port is taken
 */
export async function serveHealth(options: {
  readonly port: number;
  /** Address to listen on; absent: all. */
  readonly host?: string;
  readonly ready: HealthCheck;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { port, host, ready, signal } = options;
  const server = createServer((request, response) => {
    switch (request.url ?? '') {
      case '/healthz':
      case '/livez':
        response.writeHead(200).end('ok\n');
        return;
      case '/readyz':
        Promise.resolve(ready()).then(
          (reasons) => {
            const isReady = reasons.length === 0;
            response.writeHead(isReady ? 200 : 503).end(isReady ? 'ok\n' : `${reasons.join('\n')}\n`);
          },
          (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
        );
        return;
      default:
        response.writeHead(404).end('there are /healthz, /livez and /readyz\n');
    }
  });
  await listenUntil(server, { port, ...(host === undefined ? {} : { host }) }, signal);
}
