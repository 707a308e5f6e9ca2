import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Registry } from 'prom-client';

/**
 * Serves a registry as Prometheus text on `/metrics`, plain HTTP, until `signal` is aborted.
 *
 * @throws when the port is taken
 */
export async function serveMetrics(options: {
  readonly registry: Registry;
  readonly port: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { registry, port, signal } = options;
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end('metrics are at /metrics\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  server.listen(port);
  await once(server, 'listening');
  signal.addEventListener('abort', () => {
    server.close();
    server.closeAllConnections();
  });
}
