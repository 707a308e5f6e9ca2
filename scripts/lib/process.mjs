// Running other programs during set-up: bounded, with their output kept for the moment something goes wrong.
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Variable with the path that `suite-errors.mjs` writes to. */
export const SUITE_ERRORS_FILE = 'SUITE_ERRORS_FILE';

/** A failure that the user can do something about: `message` says what is wrong, `next` what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} next
   */
  constructor(message, next) {
    super(message);
    this.next = next;
  }
}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
/** @type {Set<() => void>} */
const interruptActions = new Set();

/**
 * Has `action` run when the program is interrupted before the function returned here is called. It must be synchronous.
 * @param {() => void} action
 * @returns {() => void} to call when there is nothing to undo any more
 */
export function onInterrupt(action) {
  interruptActions.add(action);
  return () => interruptActions.delete(action);
}

/**
 * On SIGINT, SIGTERM and SIGHUP: passes the signal on, waits until what runs has ended, undoes what is half done, and ends.
 * A later signal ends at once. Call once, from a program.
 */
export function handleInterrupts() {
  const signals = /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]);
  let first = 0;
  for (const [signal, status] of signals) {
    process.on(signal, () => {
      // Ctrl-C reaches this process from the terminal, and once more from npm: that is one signal.
      if (first > 0 && performance.now() - first > 1_000) process.exit(status);
      if (first > 0) return;
      first = performance.now();
      // The terminal has told the others too.
      if (signal === 'SIGTERM' || !process.stdin.isTTY) for (const child of children) child.kill(signal);
      const end = () => {
        for (const action of interruptActions) action();
        process.exit(status);
      };
      // apt-get lets dpkg finish its package; what keeps services stopped must stay as long.
      setTimeout(end, 60_000);
      if (children.size === 0) end();
      for (const child of children) {
        child.on('close', () => {
          if (children.size === 0) end();
        });
      }
    });
  }
}

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env] the whole environment; this process's unless given
 * @property {string} [cwd]
 * @property {number} [timeoutMs] ten minutes unless given; the program gets SIGTERM then, and SIGKILL five seconds later
 * @property {boolean} [show] its output goes to the terminal instead of being kept
 *
 * @typedef {object} RunResult
 * @property {boolean} ok ended by itself with status 0
 * @property {number} status exit status; 127 when there is no such program, 128 and more when a signal ended it
 * @property {string} output standard output
 * @property {string} all standard output and standard error, mixed
 */

/**
 * Runs a program to its end; never throws.
 * @param {readonly string[]} command
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 */
export function run(command, options = {}) {
  const [file = '', ...args] = command;
  const { promise, resolve } = deferred();
  const child = spawn(file, args, {
    env: options.env ?? process.env,
    cwd: options.cwd,
    stdio: options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  let all = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
    all += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => (all += text));
  const timeoutMs = options.timeoutMs ?? 600_000;
  const bound = setTimeout(() => {
    all += `\nended after ${timeoutMs / 1000} s`;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
  }, timeoutMs);
  /** @param {number} status */
  const finish = (status) => {
    clearTimeout(bound);
    children.delete(child);
    resolve({ ok: status === 0, status, output, all });
  };
  child.on('error', (error) => {
    all += error.message;
    finish(127);
  });
  child.on('close', (code, signal) => finish(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  return promise;
}

/** @returns {{ promise: Promise<RunResult>, resolve: (result: RunResult) => void }} */
function deferred() {
  /** @type {(result: RunResult) => void} */
  let resolve = () => {};
  const promise = new Promise((/** @type {(result: RunResult) => void} */ accept) => (resolve = accept));
  return { promise, resolve };
}

/**
 * Runs a program and gives its standard output.
 * @param {readonly string[]} command
 * @param {RunOptions & { what: string, next: string }} options `what` did not work if it fails, and what to do `next`
 */
export async function must(command, options) {
  const result = await run(command, options);
  if (result.ok) return result.output;
  const tail = result.all.trim().split('\n').slice(-15).join('\n');
  throw new SetupError(`${options.what} (status ${result.status}):\n${tail}`, options.next);
}

/** @typedef {{ ok: true, prefix: readonly string[] } | { ok: false, reason: string }} RootAccess */

/**
 * How this process can do what only root may: as it is, or through sudo.
 * @returns {Promise<RootAccess>} words to put in front of a command, or why there is no way
 */
export async function rootAccess() {
  if (process.getuid?.() === 0) return { ok: true, prefix: [] };
  if (!(await findProgram('sudo'))) return { ok: false, reason: 'not root, and there is no sudo' };
  // A password can be asked for only on a terminal.
  if (process.stdin.isTTY || (await run(['sudo', '-n', 'true'], { timeoutMs: 10_000 })).ok) {
    return { ok: true, prefix: ['sudo'] };
  }
  return {
    ok: false,
    reason: 'not root, and sudo wants a password that cannot be asked for without a terminal',
  };
}

/**
 * Words in front of a command that is to run as root with our environment. sudo resets it, so what matters is handed over
 * by env(1).
 * @param {NodeJS.ProcessEnv} env
 * @param {{ prefix: readonly string[] }} access
 * @returns {readonly string[]} empty for root
 */
export function asRootWith(env, access) {
  if (access.prefix.length === 0) return [];
  const names = [
    ...['PATH', 'METALLB_FRR_TOOLS', 'METALLB_FRR_CLUSTER', 'KUBEBUILDER_ASSETS'],
    ...['NO_COLOR', 'FORCE_COLOR', 'TERM', 'CI', SUITE_ERRORS_FILE],
  ];
  const settings = names.filter((name) => env[name] !== undefined).map((name) => `${name}=${env[name]}`);
  return [...access.prefix, 'env', ...settings];
}

/**
 * @param {string} name
 * @returns {Promise<string | undefined>} path of the first program of that name on PATH
 */
export async function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const path = join(folder, name);
    if (await exists(path, constants.X_OK)) return path;
  }
  return undefined;
}

/**
 * @param {string} path
 * @param {number} [mode]
 */
export async function exists(path, mode = constants.F_OK) {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
