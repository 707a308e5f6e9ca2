import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { statFields } from '../../src/lab/index.ts';
import { ClusterError } from './error.ts';

/** A daemon that was started, with the file that holds everything it says. */
export interface Component {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  isRunning(): boolean;
  /** Sends a signal; a process that has ended is fine. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

export interface ComponentStart {
  readonly name: string;
  readonly command: readonly string[];
  /** Appended to. */
  readonly log: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it outlives this process; if not, it ends with this process however that ends. */
  readonly detached: boolean;
}

/** For programs on the machine's own root; nothing of the user's shell comes through. */
export const COMPONENT_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
} as const;

const TAIL_LINES = 12;

/** Starts a daemon in the background. It may fail at once: {@link waitUntil} notices. */
export async function startComponent(start: ComponentStart): Promise<Component> {
  await mkdir(dirname(start.log), { recursive: true });
  const log = await open(start.log, 'a');
  try {
    // The kernel's word (prctl(2), PR_SET_PDEATHSIG): it holds also when this process is killed.
    const tie = start.detached ? [] : ['setpriv', '--pdeathsig', 'KILL', '--'];
    const [file = '', ...args] = [...tie, ...start.command];
    const child = spawn(file, args, {
      env: start.env,
      cwd: '/',
      detached: start.detached,
      stdio: ['ignore', log.fd, log.fd],
    });
    const ended = once(child, 'exit').then(() => undefined);
    await once(child, 'spawn');
    if (start.detached) child.unref();
    return {
      name: start.name,
      pid: child.pid ?? 0,
      log: start.log,
      isRunning: () => child.exitCode === null && child.signalCode === null,
      signal: (signal) => {
        child.kill(signal);
      },
      ended,
    };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing) throw error;
    const message = `${start.name}: there is no program ${start.command[0] ?? ''}`;
    throw new ClusterError('ERR_CLUSTER_PROGRAM_MISSING', message, { cause: error });
  } finally {
    await log.close();
  }
}

export interface Waiting {
  /** What is waited for, as the rest of a sentence: `kube-apiserver to answer`. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Those that the wait depends on: when one ends, the wait is over, and their logs say why it failed. */
  readonly components: readonly Pick<Component, 'name' | 'log' | 'isRunning'>[];
}

/**
 * Tries until `attempt` gives something other than undefined. What it throws counts as "not yet".
 * @throws ERR_CLUSTER_COMPONENT or ERR_CLUSTER_TIMEOUT with the last lines of the logs; the signal's reason
 */
export async function waitUntil<T>(waiting: Waiting, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + waiting.timeoutMs;
  let reason = '';
  for (;;) {
    waiting.signal?.throwIfAborted();
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      reason = error instanceof Error ? `: ${error.message}` : '';
    }
    const gone = waiting.components.filter((component) => !component.isRunning());
    if (gone.length > 0) {
      const names = gone.map(({ name }) => name).join(', ');
      const message = `waited for ${waiting.what}, but ${names} ended${await tails(gone)}`;
      throw new ClusterError('ERR_CLUSTER_COMPONENT', message);
    }
    if (performance.now() > deadline) {
      const message = `waited ${waiting.timeoutMs / 1000} s for ${waiting.what}${reason}${await tails(waiting.components)}`;
      throw new ClusterError('ERR_CLUSTER_TIMEOUT', message);
    }
    // An abort ends the pause; the reason for it is thrown above.
    await sleep(waiting.intervalMs ?? 25, undefined, { signal: waiting.signal }).catch(() => undefined);
  }
}

/**
 * Stops a daemon where it is; SIGCONT lets it go on. Resolves when the last of its threads rests:
 * the signal is only the request, and a thread that runs on another processor still answers.
 * @throws ERR_CLUSTER_COMPONENT when it has ended; ERR_CLUSTER_TIMEOUT
 */
export async function pauseComponent(component: Component): Promise<void> {
  component.signal('SIGSTOP');
  const what = `every thread of ${component.name} to stop`;
  await waitUntil({ what, timeoutMs: 5000, intervalMs: 1, components: [component] }, async () => {
    const tasks = `/proc/${component.pid}/task`;
    const stats = (await readdir(tasks)).map((task) => readFile(`${tasks}/${task}/stat`, 'utf8'));
    return (await Promise.all(stats)).every((stat) => statFields(stat)[0] === 'T') ? true : undefined;
  });
}

/** The last lines of logs, each under the file's name, for the end of an error message. */
export async function tails(components: readonly Pick<Component, 'log'>[]): Promise<string> {
  const texts = await Promise.all(
    components.map(async ({ log }) => {
      const text = await readFile(log, 'utf8').catch(() => '');
      const lines = text.trimEnd().split('\n').slice(-TAIL_LINES);
      return `\n${log} ends with:\n${lines.map((line) => `  ${line}`).join('\n')}`;
    }),
  );
  return texts.join('');
}
