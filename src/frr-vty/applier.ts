import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  diffFrrConfig,
  holds,
  learnForms,
  createFrrConfigParser,
  parseFrrConfig,
  underEquivalence,
  withoutPassword,
  type EquivalentForms,
  type FrrChange,
  type FrrCommand,
  type FrrConfig,
} from '../frr-config/index.ts';
import { writeConfigFile } from './config-file.ts';
import { readForms, writeForms } from './forms-file.ts';
import type { RefusedLine } from './refusal.ts';
import { Typist, type Typed } from './typist.ts';
import { runVtysh, type VtyshCommand } from './vtysh-process.ts';

/** How often what is missing is typed: one thing can take another with it, or be refused until something is gone. */
const ROUNDS = 3;
/**
 * How long FRR is given to carry out what it took. Under load a removal that FRR 10.3 took three times within 60 ms stood in
 * the running configuration all the time, and was gone a moment later; FRR 8.4 has not been seen to do so.
 */
const PAUSES_MS = [50, 150, 400] as const;

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
  /**
   * Not all that should be announced is known: what FRR holds beyond the wanted is left alone, and so is the file, which
   * has it too. Default false.
   */
  readonly keepUnknown?: boolean;
}

export type ApplyOutcome =
  | { readonly kind: 'unchanged' }
  /** `verified`: the running configuration was read back and the difference is empty; else {@link FrrApplier.verify} is due. */
  | {
      readonly kind: 'applied';
      readonly lines: number;
      readonly via: 'shell' | 'file';
      readonly verified: boolean;
    }
  /** `restored`: FRR runs the last good configuration again, and its file holds that. */
  | { readonly kind: 'refused'; readonly refused: readonly RefusedLine[]; readonly restored: boolean }
  /** Taken without a word, and yet FRR's configuration is not the wanted one: what would still have to be typed. */
  | { readonly kind: 'not-closed'; readonly residual: readonly ResidualLine[]; readonly restored: boolean };

/** A line that is still missing, or a removal that is; without any password. */
export type ResidualLine = Pick<RefusedLine, 'path' | 'line'>;

interface Target {
  /** Absent for a configuration found running, of which there was no file. */
  readonly text: string | undefined;
  readonly parsed: FrrConfig;
  readonly extras: FrrConfig;
  readonly keepUnknown: boolean;
}

type Reached = { readonly kind: 'closed' } | Unreached;
type Unreached =
  | { readonly kind: 'refused'; readonly refused: readonly RefusedLine[] }
  | { readonly kind: 'not-closed'; readonly residual: readonly ResidualLine[] };

const NOTHING = parseFrrConfig('');

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
  readonly #typist: Typist;
  readonly #formsFile: string;
  readonly #parseWanted = createFrrConfigParser();
  readonly #parseRunning = createFrrConfigParser();
  /** What FRR holds, as far as we know. */
  #running: FrrConfig | undefined;
  /** What FRR should hold: the last one applied, or the good one that was put back. */
  #wanted: Target | undefined;
  /** The last one whose every line FRR took; it may be newer than the last verified. */
  #lastTaken: Target | undefined;
  /** The last one that was read back without a difference. */
  #lastVerified: Target | undefined;
  /** Of the configuration file: what we wrote last, or found there. */
  #fileText: string | undefined;
  /** Learnt about the extras; undefined until what an earlier process learnt is read. */
  #forms: readonly EquivalentForms[] | undefined;
  /** What FRR held right before extras were typed, until the forms they took are read back. */
  #beforeExtras: FrrConfig | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 10_000;
    this.#fileTimeoutMs = options.fileTimeoutMs ?? 60_000;
    const folder = dirname(options.configFile);
    this.#formsFile = join(folder, '.metallb-frr-extras.json');
    this.#typist = new Typist({
      vtysh: options.vtysh,
      scratchFile: join(folder, '.metallb-frr-change.conf'),
      answerTimeoutMs: this.#answerTimeoutMs,
      fileTimeoutMs: this.#fileTimeoutMs,
    });
  }

  /** @throws {VtyError} when FRR cannot be reached; nothing is known then of what it holds, and the caller tries again */
  async apply(wanted: WantedConfig): Promise<ApplyOutcome> {
    return this.#guarded(async () => {
      const parsed = this.#parseWanted(wanted.text);
      const keepUnknown = wanted.keepUnknown ?? false;
      const target: Target = {
        text: wanted.text,
        parsed,
        extras: parseFrrConfig(wanted.extras),
        keepUnknown,
      };
      await this.#readOwnFiles();
      const fileBefore = this.#fileText;
      if (!keepUnknown) this.#write(wanted.text);
      const running = this.#running ?? (await this.#read(target));
      const change = await this.#difference(running, target);
      this.#wanted = target;
      if (change.commands.length === 0) {
        this.#running = await this.#believed(running, target);
        this.#lastTaken = target;
        await this.#typist.open(daemonsFor(parsed));
        return { kind: 'unchanged' };
      }
      const lastGood = this.#lastTaken ?? {
        text: fileBefore,
        parsed: running,
        extras: NOTHING,
        keepUnknown: false,
      };
      const typed = await this.#type(change, target, false);
      if (typed.via === 'shell' && typed.refused.length === 0 && !this.#beforeExtras) {
        // Of what FRR holds besides, only a new read can tell.
        this.#running = keepUnknown ? undefined : parsed;
        this.#lastTaken = target;
        return { kind: 'applied', lines: typed.lines, via: 'shell', verified: false };
      }
      const { reached } = await this.#reach(target, typed.refused.length > 0);
      if (reached.kind !== 'closed') return { ...reached, restored: await this.#restore(lastGood) };
      await this.#typist.open(daemonsFor(parsed));
      return { kind: 'applied', lines: typed.lines, via: typed.via, verified: true };
    });
  }

  /** Reads FRR's configuration and puts right what differs from the last one applied. */
  async verify(): Promise<ApplyOutcome> {
    return this.#guarded(async () => {
      if (!this.#wanted) return { kind: 'unchanged' };
      const lastGood = this.#lastVerified;
      const { reached, lines, via } = await this.#reach(this.#wanted);
      if (reached.kind !== 'closed') return { ...reached, restored: await this.#restore(lastGood) };
      await this.#keepFile();
      return lines === 0 ? { kind: 'unchanged' } : { kind: 'applied', lines, via, verified: true };
    });
  }

  /** A daemon was restarted: nothing is known of what FRR holds, and the long-lived vtysh is deaf for it. */
  async forget(): Promise<void> {
    this.#running = undefined;
    this.#beforeExtras = undefined;
    // What FRR does not print cannot be seen to be missing: it is typed again.
    this.#forms = this.#forms?.filter(({ printed }) => printed.length > 0);
    await this.#typist.close();
  }

  async close(): Promise<void> {
    await this.forget();
  }

  /**
   * Types what is missing and reads back, until nothing is.
   * @param precisely FRR refused something of it before
   */
  async #reach(
    target: Target,
    precisely = false,
  ): Promise<{ readonly reached: Reached; readonly lines: number; readonly via: Typed['via'] }> {
    let lines = 0;
    let via: Typed['via'] = 'shell';
    let refused: readonly RefusedLine[] = [];
    for (let round = 1; ; round += 1) {
      let running = await this.#read(target);
      await this.#learn(running, target);
      let change = await this.#difference(running, target);
      // Typed a moment ago and taken: before it is typed again FRR gets the time to carry it out.
      for (const pauseMs of round > 1 && refused.length === 0 ? PAUSES_MS : []) {
        if (change.commands.length === 0) break;
        await delay(pauseMs);
        running = await this.#read(target);
        change = await this.#difference(running, target);
      }
      if (change.commands.length === 0) {
        this.#running = await this.#believed(running, target);
        this.#lastTaken = target;
        this.#lastVerified = target;
        return { reached: { kind: 'closed' }, lines, via };
      }
      if (refused.length > 0) return { reached: { kind: 'refused', refused }, lines, via };
      if (round > ROUNDS) {
        const residual = change.commands.map(({ path, line }) => ({ path, line: withoutPassword(line) }));
        return { reached: { kind: 'not-closed', residual }, lines, via };
      }
      if (round === ROUNDS && this.#options.frrReload) {
        const [file, ...args] = this.#options.frrReload;
        await runVtysh([file, ...args], [this.#options.configFile], { timeoutMs: this.#fileTimeoutMs });
        continue;
      }
      const typed = await this.#type(change, target, precisely);
      // The first refusal may be about what another line has to take away first, or not say which line it was.
      if (precisely || typed.via === 'shell') refused = typed.refused;
      precisely ||= typed.refused.length > 0;
      lines += typed.lines;
      if (typed.via === 'file') via = 'file';
    }
  }

  /** Back to a good configuration, file and daemons. @returns false when there is none, or FRR does not take it */
  async #restore(lastGood: Target | undefined): Promise<boolean> {
    this.#running = undefined;
    this.#lastTaken = undefined;
    this.#wanted = lastGood;
    if (!lastGood) return false;
    if (lastGood.text === undefined) {
      await rm(this.#options.configFile, { force: true });
      this.#fileText = undefined;
    } else if (!lastGood.keepUnknown) {
      this.#write(lastGood.text);
    }
    const { reached } = await this.#reach(lastGood);
    return reached.kind === 'closed';
  }

  /** Extras last and by themselves, so that what FRR then prints anew is known to be theirs. */
  async #type(change: FrrChange, target: Target, precisely: boolean): Promise<Typed> {
    const how = { precisely, daemons: daemonsFor(target.parsed) };
    const ofExtras = (command: FrrCommand): boolean =>
      command.kind === 'add' && holds(target.extras, command);
    const theirs = change.commands.filter(ofExtras);
    if (theirs.length === 0) return this.#typist.type(change, how);
    const ours = change.commands.filter((command) => !ofExtras(command));
    const first = ours.length === 0 ? undefined : await this.#typist.type({ commands: ours }, how);
    this.#beforeExtras = await this.#read(target);
    const second = await this.#typist.type({ commands: theirs }, how);
    // A refused line is missing because it was refused, not because FRR shows it in another form.
    if (second.refused.length > 0) this.#beforeExtras = undefined;
    return {
      lines: (first?.lines ?? 0) + second.lines,
      via: first?.via === 'file' ? 'file' : second.via,
      refused: [...(first?.refused ?? []), ...second.refused],
    };
  }

  async #learn(running: FrrConfig, target: Target): Promise<void> {
    const before = this.#beforeExtras;
    this.#beforeExtras = undefined;
    if (!before) return;
    const learnt = learnForms({ before, running, wanted: target.parsed, extras: target.extras });
    const known = await this.#knownForms();
    const stillWanted = known.filter(({ typed }) => typed.every((placed) => holds(target.extras, placed)));
    this.#forms = [...stillWanted, ...learnt];
    await writeForms(this.#formsFile, this.#forms);
  }

  async #difference(running: FrrConfig, target: Target): Promise<FrrChange> {
    const forms = await this.#knownForms();
    const change = diffFrrConfig(underEquivalence(running, target.parsed, forms), target.parsed);
    return target.keepUnknown
      ? { commands: change.commands.filter(({ kind }) => kind !== 'remove') }
      : change;
  }

  /**
   * What is read and differs in nothing from what was wanted is taken to be that: the next text shares most of it, so that
   * the next difference costs what changed.
   */
  async #believed(running: FrrConfig, target: Target): Promise<FrrConfig> {
    const isWhole = !target.keepUnknown && (await this.#knownForms()).length === 0;
    return isWhole ? target.parsed : running;
  }

  async #knownForms(): Promise<readonly EquivalentForms[]> {
    this.#forms ??= await readForms(this.#formsFile);
    return this.#forms;
  }

  async #readOwnFiles(): Promise<void> {
    await this.#knownForms();
    if (this.#fileText !== undefined) return;
    // Absent or unreadable: there is nothing to put back.
    this.#fileText = await readFile(this.#options.configFile, 'utf8').catch(() => undefined);
  }

  #write(text: string): void {
    if (text === this.#fileText) return;
    writeConfigFile(this.#options.configFile, text);
    this.#fileText = text;
  }

  /** Puts the file back if someone wrote another: what FRR loads when it starts. */
  async #keepFile(): Promise<void> {
    const ours = this.#fileText;
    if (ours === undefined) return;
    const there = await readFile(this.#options.configFile, 'utf8').catch(() => undefined);
    if (there !== ours) writeConfigFile(this.#options.configFile, ours);
  }

  async #read(target: Target): Promise<FrrConfig> {
    return this.#parseRunning(await this.#typist.readRunning(daemonsFor(target.parsed)));
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

/** The daemons without which part of the configuration would silently go nowhere. */
function daemonsFor(config: FrrConfig): readonly string[] {
  const headers = [...config.contexts.values()].map(({ path }) => path[0]);
  return [
    'zebra',
    ...(headers.some((header) => header?.startsWith('router bgp ')) ? ['bgpd'] : []),
    ...(headers.includes('bfd') ? ['bfdd'] : []),
  ];
}
