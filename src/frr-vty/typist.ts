import { rm } from 'node:fs/promises';
import { typedLines, withoutPassword, type FrrChange, type TypedLine } from '../frr-config/index.ts';
import { writeConfigFile } from './config-file.ts';
import { VtyError } from './errors.ts';
import { answerOf, daemonGone, refusedInFile, type RefusedLine } from './refusal.ts';
import {
  missingDaemon,
  READ_RUNNING,
  runningConfigIn,
  runVtysh,
  type VtyshCommand,
} from './vtysh-process.ts';
import { VtyshShell } from './vtysh-shell.ts';

/** Up to this many lines the long-lived vtysh is quicker than a process of its own for `vtysh -f`. */
const SHELL_LINES = 20;

/** Up to this many lines a refused change is typed once more line by line, where every line has its own answer. */
const PRECISE_LINES = 200;
const LINE_TIMEOUT_MS = 50;

/** vtysh reads its standard input through readline, to which these are keys: `?` prints help and is lost. */
const NOT_FOR_SHELL = /[^\x20-\x3e\x40-\x7e]/;

export interface TypistOptions {
  readonly vtysh: VtyshCommand;
  /** File of this instance's own: vtysh locks what it reads, and waits half a second for a lock. */
  readonly scratchFile: string;
  readonly answerTimeoutMs: number;
  readonly fileTimeoutMs: number;
}

export interface Typed {
  /** Lines typed, those that only enter and leave contexts included. */
  readonly lines: number;
  readonly via: 'shell' | 'file';
  /** FRR goes on behind a refused line, so the others are in force. */
  readonly refused: readonly RefusedLine[];
}

/**
 * Types configuration into FRR, few lines into a vtysh that stays open and many as a file, and reads it back through that
 * vtysh: a new one for each reading would cost more than all of it. One call at a time.
 */
export class Typist {
  readonly #options: TypistOptions;
  #shell: VtyshShell | undefined;

  constructor(options: TypistOptions) {
    this.#options = options;
  }

  /**
   * @param how.precisely FRR refused something: what it says to each line is worth more than time
   * @param how.daemons that have to be there; vtysh says nothing when one is not
   * @throws {VtyError} when FRR cannot be reached, possibly in the middle
   */
  async type(
    change: FrrChange,
    how: { readonly precisely: boolean; readonly daemons: readonly string[] },
  ): Promise<Typed> {
    const lines = typedLines(change);
    const limit = how.precisely ? PRECISE_LINES : SHELL_LINES;
    if (lines.length <= limit && !lines.some(({ text }) => NOT_FOR_SHELL.test(text))) {
      return { lines: lines.length, via: 'shell', refused: await this.#intoShell(lines, how.daemons) };
    }
    return { lines: lines.length, via: 'file', refused: await this.#asFile(lines) };
  }

  /** Opens the long-lived vtysh, unless it is: the first line after that need not wait for it. */
  async open(daemons: readonly string[]): Promise<void> {
    await this.#openShell(daemons);
  }

  /**
   * Reads FRR's running configuration.
   * @param daemons that have to be there: without one of them its part is missing, and vtysh says nothing
   * @throws {VtyError} when FRR cannot be reached
   */
  async readRunning(daemons: readonly string[]): Promise<string> {
    const wasOpen = this.#shell?.isOpen === true;
    const shell = await this.#openShell(daemons);
    try {
      return await readRunningIn(shell, { daemons, timeoutMs: this.#options.answerTimeoutMs });
    } catch (error) {
      const isDeaf = error instanceof VtyError && error.code === 'FRR_NOT_RUNNING';
      if (!isDeaf || !wasOpen) throw error;
    }
    // A daemon may be back that the open vtysh has lost.
    await this.close();
    const anew = await this.#openShell(daemons);
    return readRunningIn(anew, { daemons, timeoutMs: this.#options.answerTimeoutMs });
  }

  async close(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    await shell?.close();
  }

  async #intoShell(lines: readonly TypedLine[], daemons: readonly string[]): Promise<readonly RefusedLine[]> {
    const typed = shellLines(lines);
    const { answerTimeoutMs } = this.#options;
    const shell = await this.#openShell(daemons);
    const timeoutMs = answerTimeoutMs + typed.length * LINE_TIMEOUT_MS;
    const outputs = await shell.run(
      typed.map(({ text }) => text),
      { timeoutMs },
    );
    const refused: RefusedLine[] = [];
    for (const [index, output] of outputs.entries()) {
      const answer = answerOf(output);
      if (answer.kind === 'not-running') {
        throw new VtyError('FRR_NOT_RUNNING', `${answer.daemon} is not running`);
      }
      if (answer.kind !== 'refused') continue;
      const line = typed[index];
      refused.push({ path: line?.path ?? [], line: withoutPassword(line?.text ?? ''), words: answer.words });
    }
    return refused;
  }

  /** A vtysh that began without a daemon never finds it. */
  async #openShell(daemons: readonly string[]): Promise<VtyshShell> {
    if (this.#shell?.isOpen) return this.#shell;
    const shell = new VtyshShell(this.#options.vtysh);
    this.#shell = shell;
    const [shown = []] = await shell.run(['show daemons'], { timeoutMs: this.#options.answerTimeoutMs });
    const missing = missingDaemon(shown.join(' '), daemons);
    if (missing !== undefined) throw new VtyError('FRR_NOT_RUNNING', `${missing} is not running`);
    return shell;
  }

  async #asFile(lines: readonly TypedLine[]): Promise<readonly RefusedLine[]> {
    const { scratchFile, vtysh, fileTimeoutMs } = this.#options;
    writeConfigFile(scratchFile, `${lines.map(({ text }) => text).join('\n')}\n`);
    try {
      const { stdout, stderr } = await runVtysh(vtysh, ['-f', scratchFile], { timeoutMs: fileTimeoutMs });
      const gone = daemonGone(`${stdout}\n${stderr}`.split('\n'));
      if (gone !== undefined) throw new VtyError('FRR_NOT_RUNNING', `${gone} is not running`);
      return refusedInFile(lines, stdout, stderr);
    } finally {
      await rm(scratchFile, { force: true });
    }
  }
}

async function readRunningIn(
  shell: VtyshShell,
  { daemons, timeoutMs }: { readonly daemons: readonly string[]; readonly timeoutMs: number },
): Promise<string> {
  return runningConfigIn(await shell.transcript(READ_RUNNING, { timeoutMs }), { daemons });
}

/** As a person would type them from enable mode, where `end` leads back to. */
function shellLines(lines: readonly TypedLine[]): TypedLine[] {
  const typed: TypedLine[] = [];
  const configure = { text: 'configure terminal', path: [] };
  let configuring = false;
  for (const { text, path } of lines) {
    if (!configuring) typed.push(configure);
    typed.push({ text: text.trim(), path });
    configuring = text !== 'end';
  }
  if (configuring) typed.push({ text: 'end', path: [] });
  return typed;
}
