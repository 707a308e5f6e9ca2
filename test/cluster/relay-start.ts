import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { COMPONENT_ENV } from './component.ts';
import { ClusterError } from './error.ts';

const PROGRAM = fileURLToPath(new URL('relay.ts', import.meta.url));
const START_TIMEOUT_MS = 20_000;

export interface Relay {
  readonly pid: number;
  /** On the machine's loopback address. */
  readonly port: number;
}

/** Opens a port of the machine's loopback address that leads to an address inside a network namespace. */
export async function startRelay(options: {
  readonly netns: string;
  readonly host: string;
  readonly port: number;
  readonly log: string;
}): Promise<Relay> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const log = await open(options.log, 'a');
  try {
    const words = [`--net=/run/netns/${options.netns}`, '--', process.execPath, PROGRAM];
    const child = spawn('nsenter', [...words, options.host, String(options.port)], {
      env: COMPONENT_ENV,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    await once(child, 'spawn');
    const ended = once(child, 'exit').then(() => false);
    const listening = once(child, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) }).then(
      () => true,
    );
    child.send('listen', server);
    if (!(await Promise.race([listening, ended]))) {
      throw new ClusterError(
        'ERR_CLUSTER_COMPONENT',
        `the relay to the API server ended; see ${options.log}`,
      );
    }
    child.disconnect();
    child.unref();
    return { pid: child.pid ?? 0, port };
  } finally {
    server.close();
    await log.close();
  }
}
