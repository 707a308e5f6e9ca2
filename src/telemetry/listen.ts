import { once } from 'node:events';
import type { ListenOptions, Server } from 'node:net';

/**
 * Has a server listen until `signal` is aborted; connections that are open then are closed. It tells of a process and does
 * not keep one: what could not begin ends all the same.
 *
 * @throws when the port is taken
 */
export async function listenUntil(
  server: Server & { readonly closeAllConnections: () => void },
  address: ListenOptions,
  signal: AbortSignal,
): Promise<void> {
  server.listen(address);
  await once(server, 'listening');
  server.unref();
  signal.addEventListener('abort', () => {
    server.close();
    server.closeAllConnections();
  });
}
