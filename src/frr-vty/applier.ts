import { join, dirname } from 'node:path';
import { rm } from 'node:fs/promises';
import {
  diffFrrConfig,
  learnEquivalence,
  linesOf,
  parseFrrConfig,
  underEquivalence,
  withoutPassword,
  type Equivalence,
  type FrrChange,
  type FrrConfig,
} from '../frr-config/index.ts';
import { writeConfigFile } from './config-file.ts';
import { VtyError } from './errors.ts';
import { answerOf, notRunningIn, refusedInFile, type RefusedLine } from './refusal.ts';
import { readRunningConfig, runVtysh, type VtyshCommand } from './vtysh-process.ts';
import { VtyshShell } from './vtysh-shell.ts';

/** Up to this many lines the long-lived vtysh is quicker than a process of its own for `vtysh -f`. */
const SHELL_LINES = 20;

/** Removing one thing can take another with it that is wanted; typing what is then missing settles it. */
const CLOSING_ROUNDS = 3;

export interface ApplierOptions {
  readonly vtysh: VtyshCommand;
  /** Where FRR reads its configuration from when it starts. */
  readonly configFile: string;
  /** Bound for one answer of the long-lived vtysh and for reading the configuration. Default 10 s. */
  readonly answerTimeoutMs?: number;
  /** Bound for one `vtysh -f`. Default 60 s. */
  readonly fileTimeoutMs?: number;
  /** `frr-reload.py` and its first arguments: the last resort when the difference does not close. */
  readonly frrReload?: readonly [string, ...string[]];
}

export interface WantedConfig {
  /** The whole of frr.conf. */
  readonly text: string;
  /** The user's part of it, which FRR may print in another form than it was typed in. */
  readonly extras: string;
}

export type ApplyOutcome =
  | { readonly kind: 'unchanged' }
  /** `verified`: the running configuration was read back and the difference is empty; else {@link FrrApplier.verify} is due. */
  | { readonly kind: 'applied'; readonly lines: number; readonly via: 'shell' | 'file'; readonly verified: boolean }
  /** FRR runs the last good configuration again, and its file holds that. */
  | { readonly kind: 'refused'; readonly refused: readonly RefusedLine[]; readonly restored: boolean }
  /** Accepted without a word, and yet FRR's configuration is not the wanted one. Restored likewise. */
  | { readonly kind: 'not-closed'; readonly residual: readonly string[]; readonly restored: boolean };

/**
 * Brings FRR to a wanted configuration: file first, then only the difference. One call at a time.
 *
 * It believes that FRR holds what it last saw or typed; {@link FrrApplier.forget} takes that belief away when a
 * daemon was restarted.
 */
export class FrrApplier {
  readonly #options: ApplierOptions;
  readonly #answerTimeoutMs: number;
  readonly #fileTimeoutMs: number;
  #shell: VtyshShell | undefined;
  /** What FRR holds, as far as we know. */
  #running: FrrConfig | undefined;
  /** The last configuration that was read back without a difference. */
  #lastVerified: WantedConfig | undefined;
  /** The last one whose every line FRR took; it may be newer than the last verified. */
  #lastTaken: WantedConfig | undefined;
  #wanted: { readonly config: WantedConfig; readonly parsed: FrrConfig } | undefined;
  #written: string | undefined;
  #equivalence: Equivalence | undefined;
  /** What FRR held before the changes that are not verified yet. */
  #before: FrrConfig | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 10_000;
    this.#fileTimeoutMs = options.fileTimeoutMs ?? 60_000;
  }

  /** @throws {VtyError} when FRR cannot be reached; nothing is known then of what it holds, and the caller tries again */
  async apply(wanted: WantedConfig): Promise<ApplyOutcome> {
    return this.#guarded(async () => {
      await this.#write(wanted.text);
      const parsed = parseFrrConfig(wanted.text);
      this.#wanted = { config: wanted, parsed };
      const running = this.#running ?? (await this.#read());
      const change = this.#difference(running, parsed);
      if (change.commands.length === 0) {
        this.#running = running;
        this.#lastTaken = wanted;
        return { kind: 'unchanged' };
      }
      this.#before ??= running;
      const { lines, via, refused } = await this.#type(change);
      if (refused.length > 0) return { kind: 'refused', refused, restored: await this.#restore(this.#lastTaken) };
      this.#running = parsed;
      this.#lastTaken = wanted;
      if (via === 'shell') return { kind: 'applied', lines, via, verified: false };
      const verdict = await this.#close();
      return verdict ?? { kind: 'applied', lines, via, verified: true };
    });
  }

  /** Reads FRR's configuration and puts right what differs from the last one applied. */
  async verify(): Promise<ApplyOutcome> {
    return this.#guarded(async () => (await this.#close()) ?? { kind: 'unchanged' });
  }

  /** A daemon was restarted: nothing is known of what FRR holds, and the long-lived vtysh is deaf for it. */
  async forget(): Promise<void> {
    this.#running = undefined;
    this.#before = undefined;
    const shell = this.#shell;
    this.#shell = undefined;
    await shell?.close();
  }

  async close(): Promise<void> {
    await this.forget();
  }

  /** @returns undefined when the difference is empty in the end */
  async #close(): Promise<ApplyOutcome | undefined> {
    if (!this.#wanted) return undefined;
    const { config, parsed } = this.#wanted;
    for (let round = 1; ; round += 1) {
      const running = await this.#read();
      this.#running = running;
      let change = this.#difference(running, parsed);
      if (change.commands.length > 0 && config.extras !== '') {
        const learnt = learnEquivalence({
          before: this.#before ?? running,
          running,
          wanted: parsed,
          extras: parseFrrConfig(config.extras),
        });
        if (learnt) {
          this.#equivalence = learnt;
          change = this.#difference(running, parsed);
        }
      }
      if (change.commands.length === 0) {
        this.#lastVerified = config;
        this.#lastTaken = config;
        this.#before = undefined;
        return undefined;
      }
      if (round > CLOSING_ROUNDS) {
        const residual = linesOf(change).map((line) => withoutPassword(line.trim()));
        return { kind: 'not-closed', residual, restored: await this.#restore(this.#lastVerified) };
      }
      if (round === CLOSING_ROUNDS) await this.#fullReload();
      else {
        const { refused } = await this.#type(change);
        if (refused.length > 0) {
          return { kind: 'refused', refused, restored: await this.#restore(this.#lastVerified) };
        }
      }
    }
  }

  #difference(running: FrrConfig, wanted: FrrConfig): FrrChange {
    return diffFrrConfig(underEquivalence(running, wanted, this.#equivalence), wanted);
  }

  async #type(change: FrrChange): Promise<{ lines: number; via: 'shell' | 'file'; refused: readonly RefusedLine[] }> {
    const lines = linesOf(change);
    const via = lines.length <= SHELL_LINES ? 'shell' : 'file';
    const refused = via === 'shell' ? await this.#typeIntoShell(lines) : await this.#typeAsFile(lines);
    return { lines: lines.length, via, refused };
  }

  async #typeIntoShell(lines: readonly string[]): Promise<readonly RefusedLine[]> {
    if (!this.#shell?.isOpen) this.#shell = new VtyshShell(this.#options.vtysh);
    const typed = ['configure terminal', ...lines.map((line) => line.trim()), 'end'];
    const outputs = await this.#shell.run(typed, { timeoutMs: this.#answerTimeoutMs });
    const refused: RefusedLine[] = [];
    for (const [index, output] of outputs.entries()) {
      const answer = answerOf(output);
      if (answer.kind === 'not-running') throw new VtyError('FRR_NOT_RUNNING', `${answer.daemon} is not running`);
      if (answer.kind === 'refused') {
        refused.push({ line: withoutPassword(typed[index] ?? ''), words: answer.words.replace(/^% ?/, '') });
      }
    }
    return refused;
  }

  async #typeAsFile(lines: readonly string[]): Promise<readonly RefusedLine[]> {
    // vtysh locks the file it reads; one of this instance's own waits for nobody.
    const path = join(dirname(this.#options.configFile), '.metallb-frr-change.conf');
    await writeConfigFile(path, `${lines.join('\n')}\n`);
    try {
      const { stdout, stderr } = await runVtysh(this.#options.vtysh, ['-f', path], { timeoutMs: this.#fileTimeoutMs });
      if (notRunningIn(`${stdout}\n${stderr}`)) throw new VtyError('FRR_NOT_RUNNING', 'a daemon of FRR is not running');
      return refusedInFile(lines, stdout, stderr);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Back to a good configuration, file and daemons. @returns false when there is none, or FRR does not take it */
  async #restore(lastGood: WantedConfig | undefined): Promise<boolean> {
    this.#running = undefined;
    this.#before = undefined;
    this.#wanted = undefined;
    this.#lastTaken = undefined;
    if (!lastGood) return false;
    await this.#write(lastGood.text);
    const parsed = parseFrrConfig(lastGood.text);
    for (let round = 0; round < CLOSING_ROUNDS; round += 1) {
      const running = await this.#read();
      const change = this.#difference(running, parsed);
      if (change.commands.length === 0) {
        this.#running = running;
        this.#wanted = { config: lastGood, parsed };
        this.#lastTaken = lastGood;
        return true;
      }
      await this.#type(change);
    }
    return false;
  }

  async #fullReload(): Promise<void> {
    const reload = this.#options.frrReload;
    if (!reload) return;
    await runVtysh(reload, [this.#options.configFile], { timeoutMs: this.#fileTimeoutMs });
  }

  async #write(text: string): Promise<void> {
    if (text === this.#written) return;
    await writeConfigFile(this.#options.configFile, text);
    this.#written = text;
  }

  async #read(): Promise<FrrConfig> {
    return parseFrrConfig(await readRunningConfig(this.#options.vtysh, { timeoutMs: this.#answerTimeoutMs }));
  }

  /** After any failure to reach FRR, what it holds is unknown. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.forget();
      throw error;
    }
  }
}
