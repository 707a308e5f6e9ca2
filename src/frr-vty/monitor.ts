import { execa } from 'execa';
import { createInterface } from 'node:readline';
import { VTYSH_ENV, type VtyshCommand } from './vtysh-process.ts';

export interface Monitor {
  /** Settled when the vtysh has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly close: () => void;
}

/**
 * A vtysh under `terminal monitor`: FRR's log lines as they happen, BFD state changes among them (`debug bfd peer`).
 * The lines come on vtysh's standard error, apart from prompts and echoes.
 *
 * @param onLine called for each log line
 */
export function openMonitor(command: VtyshCommand, onLine: (line: string) => void): Monitor {
  const [file, ...args] = command;
  const child = execa(file, args, {
    env: VTYSH_ENV,
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  child.stdout.resume();
  child.stdin.on('error', () => undefined); // the end of the process tells
  createInterface({ input: child.stderr }).on('line', onLine);
  // One daemon each: zebra's and mgmtd's lines would only be thrown away.
  child.stdin.write('terminal monitor bfdd\nterminal monitor bgpd\ndebug bfd peer\n');
  return {
    ended: child.then(() => undefined),
    close: () => {
      child.kill('SIGKILL');
    },
  };
}
