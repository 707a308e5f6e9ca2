import { rm } from 'node:fs/promises';
import { typedLines, withoutPassword, type FrrChange, type TypedLine } from '../frr-config/index.ts';
import { writeConfigFile } from './config-file.ts';
import { VtyError } from './errors.ts';
import { answerOf, notRunningIn, refusedInFile, type RefusedLine } from './refusal.ts';
import { runVtysh, type VtyshCommand } from './vtysh-process.ts';
import { VtyshShell } from './vtysh-shell.ts';

/** Up to this many lines the long-lived vtysh is quicker than a process of its own for `vtysh -f`. */
const SHELL_LINES = 20;

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

/** Types configuration into FRR: few lines into a vtysh that stays open, many as a file. One call at a time. */
export class Typist {
  readonly #options: TypistOptions;
  #shell: VtyshShell | undefined;

  constructor(options: TypistOptions) {
    this.#options = options;
  }

  /** @throws {VtyError} when FRR cannot be reached, possibly in the middle */
  async type(change: FrrChange): Promise<Typed> {
    const lines = typedLines(change);
    if (lines.length <= SHELL_LINES && !lines.some(({ text }) => NOT_FOR_SHELL.test(text))) {
      return { lines: lines.length, via: 'shell', refused: await this.#intoShell(lines) };
    }
    return { lines: lines.length, via: 'file', refused: await this.#asFile(lines) };
  }

  async close(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    await shell?.close();
  }

  async #intoShell(lines: readonly TypedLine[]): Promise<readonly RefusedLine[]> {
    if (!this.#shell?.isOpen) this.#shell = new VtyshShell(this.#options.vtysh);
    const typed = ['configure terminal', ...lines.map(({ text }) => text.trim()), 'end'];
    const outputs = await this.#shell.run(typed, { timeoutMs: this.#options.answerTimeoutMs });
    const refused: RefusedLine[] = [];
    for (const [index, output] of outputs.entries()) {
      const answer = answerOf(output);
      if (answer.kind === 'not-running') {
        throw new VtyError('FRR_NOT_RUNNING', `${answer.daemon} is not running`);
      }
      if (answer.kind !== 'refused') continue;
      const line = typed[index] ?? '';
      const path = lines[index - 1]?.path ?? [];
      refused.push({ path, line: withoutPassword(line), words: answer.words });
    }
    return refused;
  }

  async #asFile(lines: readonly TypedLine[]): Promise<readonly RefusedLine[]> {
    const { scratchFile, vtysh, fileTimeoutMs } = this.#options;
    await writeConfigFile(scratchFile, `${lines.map(({ text }) => text).join('\n')}\n`);
    try {
      const { stdout, stderr } = await runVtysh(vtysh, ['-f', scratchFile], { timeoutMs: fileTimeoutMs });
      if (notRunningIn(`${stdout}\n${stderr}`)) {
        throw new VtyError('FRR_NOT_RUNNING', 'a daemon of FRR is not running');
      }
      return refusedInFile(lines, stdout, stderr);
    } finally {
      await rm(scratchFile, { force: true });
    }
  }
}
