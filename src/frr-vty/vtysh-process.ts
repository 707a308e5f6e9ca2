import { execa, ExecaError } from 'execa';
import { VtyError } from './errors.ts';

/**
 * How vtysh is started so that it reaches the daemons in question: the program and its first arguments, for example
 * `['vtysh', '--vty_socket', '/var/run/frr']`.
 */
export type VtyshCommand = readonly [string, ...string[]];

/** vtysh keeps no history and never asks the terminal for its width. */
export const VTYSH_ENV = { VTYSH_HISTFILE: '/dev/null', VTYSH_PAGER: '/bin/cat', TERM: 'dumb', COLUMNS: '4096' };

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
  const result = await execa(file, [...first, ...args], {
    env: VTYSH_ENV,
    stdin: 'ignore',
    timeout: options.timeoutMs,
    forceKillAfterDelay: 500,
    reject: false,
    maxBuffer: 256 * 1024 * 1024,
    stripFinalNewline: false,
    ...(options.signal ? { cancelSignal: options.signal } : {}),
  });
  if (result.timedOut) {
    throw new VtyError('VTYSH_TIMEOUT', `vtysh ${args.join(' ')}: no end within ${options.timeoutMs} ms`);
  }
  if (result.exitCode === undefined) throw startError(file, result);
  return { stdout: result.stdout, stderr: result.stderr };
}

/** @throws {VtyError} FRR_NOT_RUNNING, VTYSH_NOT_FOUND, VTYSH_TIMEOUT */
export async function readRunningConfig(
  command: VtyshCommand,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<string> {
  const { stdout, stderr } = await runVtysh(command, ['-c', 'show running-config'], options);
  if (!stdout.includes('Current configuration:')) {
    const words = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
    throw new VtyError('FRR_NOT_RUNNING', `FRR gives no running configuration: ${words}`);
  }
  return stdout;
}

export function startError(file: string, cause: unknown): VtyError {
  const code = cause instanceof ExecaError ? cause.code : undefined;
  if (code === 'ENOENT') {
    return new VtyError('VTYSH_NOT_FOUND', `${file} is not installed or not on PATH: install FRR's vtysh`, { cause });
  }
  return new VtyError('VTYSH_EXITED', `${file} did not run`, { cause });
}
