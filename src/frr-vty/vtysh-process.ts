import { execa, ExecaError } from 'execa';
import { withoutPassword } from '../frr-config/index.ts';
import { VtyError } from './errors.ts';

/**
 * How vtysh is started so that it reaches the daemons in question: the program and its first arguments, for example
 * `['vtysh', '--vty_socket', '/var/run/frr']`.
 */
export type VtyshCommand = readonly [string, ...string[]];

/**
 * vtysh keeps no history and never asks the terminal for its width. It has no pager, whatever the environment says: it
 * starts one anew for every line typed, which makes a line of 0.4 ms one of 2 ms.
 */
export const VTYSH_ENV = {
  VTYSH_HISTFILE: '/dev/null',
  VTYSH_PAGER: undefined,
  TERM: 'dumb',
  COLUMNS: '4096',
};

export interface VtyshOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs vtysh once, for example with `['-c', 'show running-config']` or `['-f', path]`.
 *
 * @returns what it printed, whatever its exit status: `vtysh -f` exits with 2 when single lines were refused
 * @throws {VtyError} VTYSH_NOT_FOUND, VTYSH_TIMEOUT
 */
export async function runVtysh(
  command: VtyshCommand,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<VtyshOutput> {
  const [file, ...first] = command;
  const child = execa(file, [...first, ...args], {
    env: VTYSH_ENV,
    stdin: 'ignore',
    detached: true,
    reject: false,
    maxBuffer: 256 * 1024 * 1024,
    stripFinalNewline: false,
  });
  const limits = [AbortSignal.timeout(options.timeoutMs), ...(options.signal ? [options.signal] : [])];
  const limit = AbortSignal.any(limits);
  const end = (): void => {
    killGroup(child);
  };
  limit.addEventListener('abort', end, { once: true });
  if (limit.aborted) end();
  const result = await child;
  limit.removeEventListener('abort', end);
  if (limit.aborted) {
    const words = `vtysh ${args.join(' ')}`;
    if (options.signal?.aborted) throw new VtyError('VTYSH_EXITED', `${words}: given up on request`);
    throw new VtyError('VTYSH_TIMEOUT', `${words}: no end within ${options.timeoutMs} ms`);
  }
  if (result.exitCode === undefined) throw startError(file, result);
  return { stdout: result.stdout, stderr: result.stderr };
}

/**
 * Ends a detached child and all that it started: vtysh may stand behind a wrapper, and whoever is left would keep
 * our pipes open.
 */
export function killGroup(child: { readonly pid?: number | undefined }): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // gone already
  }
}

/**
 * @param options.daemons that have to be there: without one of them its part is missing, and vtysh says nothing
 * @throws {VtyError} FRR_NOT_RUNNING, VTYSH_NOT_FOUND, VTYSH_TIMEOUT
 */
export async function readRunningConfig(
  command: VtyshCommand,
  options: {
    readonly timeoutMs: number;
    readonly daemons?: readonly string[];
    readonly signal?: AbortSignal;
  },
): Promise<string> {
  const args = READ_RUNNING.flatMap((line) => ['-c', line]);
  const { stdout, stderr } = await runVtysh(command, args, options);
  return runningConfigIn(stdout, { daemons: options.daemons ?? [], notices: stderr });
}

/** What vtysh is asked for its running configuration: a daemon that is gone by the end of it gave no part of it. */
export const READ_RUNNING = ['show running-config', 'show daemons'] as const;

const LAST_LINE = '\nend\n';
/** A daemon that went away since vtysh asked it last; with what it says of that in the midst, it is no configuration. */
const LOST_DAEMON = /^(?:Warning: closing connection to|vtysh: error reading from) (\w+)/m;

/**
 * The running configuration in what vtysh printed for {@link READ_RUNNING}.
 *
 * @param options.daemons that have to be there
 * @param options.notices what vtysh printed on its standard error
 * @throws {VtyError} FRR_NOT_RUNNING
 */
export function runningConfigIn(
  output: string,
  { daemons, notices = '' }: { readonly daemons: readonly string[]; readonly notices?: string },
): string {
  const start = output.indexOf('Building configuration...');
  const last = output.lastIndexOf(LAST_LINE);
  if (start < 0 || last < start || !output.includes('Current configuration:')) {
    const words = withoutPassword((notices.trim() || output.trim()).split('\n').at(-1) ?? '');
    throw new VtyError('FRR_NOT_RUNNING', `FRR gives no running configuration: ${words}`);
  }
  const end = last + LAST_LINE.length;
  const missing = LOST_DAEMON.exec(output)?.[1] ?? missingDaemon(output.slice(end), daemons);
  if (missing !== undefined) throw new VtyError('FRR_NOT_RUNNING', `${missing} is not running`);
  return output.slice(start, end);
}

/** The first of the daemons that `show daemons` does not list. */
export function missingDaemon(shown: string, daemons: readonly string[]): string | undefined {
  const running = new Set(shown.split(/\s+/));
  return daemons.find((daemon) => !running.has(daemon));
}

/**
 * Why a process has no exit status. What it printed is left out on purpose, cause included: that may be a
 * configuration with its passwords.
 */
export function startError(file: string, result: unknown): VtyError {
  const { code, signal } = result instanceof ExecaError ? result : {};
  if (code === 'ENOENT') {
    return new VtyError('VTYSH_NOT_FOUND', `${file} is not installed or not on PATH: install FRR's vtysh`);
  }
  const why = signal === undefined ? (code ?? 'for an unknown reason') : `by ${signal}`;
  return new VtyError('VTYSH_EXITED', `${file} was ended ${why}`);
}
