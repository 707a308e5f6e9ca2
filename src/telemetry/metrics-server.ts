import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { metricsHandler } from './metrics-handler.ts';
import { listenUntil } from './listen.ts';

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
  const server = createServer(metricsHandler(registry));
  await listenUntil(server, { port }, signal);
}
