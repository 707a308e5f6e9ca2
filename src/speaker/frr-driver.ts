import type { Logger } from 'pino';
import type { Problem } from '../core/problem.ts';
import type { FrrConfOptions, FrrConfTemplate } from '../frr-render/index.ts';
import { VtyError, type ApplyOutcome, type FrrApplier, type RefusedLine } from '../frr-vty/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import {
  NO_REFUSALS,
  refusalProblems,
  stillWanted,
  withoutRefused,
  withRefused,
  wordsOf,
} from './refusals.ts';
import { applyBackoffMs, createWorkLoop, type WorkResult } from './work-loop.ts';

/** A small change is read back when FRR has been left alone for this long. */
const VERIFY_AFTER_MS = 1_000;
/**
 * A change of more prefixes than this is part of a burst, whose other parts come in the next milliseconds (the addresses
 * of 10,000 Services in 32 files); typing the first part alone would hold up the rest by a second.
 */
const BURST_PREFIXES = 20;
const BURST_QUIET_MS = 50;
const BURST_MAX_MS = 250;
/** How often FRR's configuration is read without any cause, and a refused one tried again. */
const SAFETY_READ_MS = 60_000;
/** Reading is work for FRR too, 200 ms with 10,000 routes: without a cause it takes at most this part of the time, */
const SAFETY_SHARE = 1 / 1_000;
/** and comes after this time all the same. */
const SAFETY_MOST_MS = 600_000;

export interface FrrDriverOptions {
  readonly applier: Pick<FrrApplier, 'apply' | 'verify' | 'forget'>;
  readonly render: FrrConfTemplate;
  readonly renderOptions: FrrConfOptions;
  /** Namespace of the metallb.io objects, for problems. */
  readonly namespace: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onReport: (report: FrrReport) => void;
  readonly onApply?: (apply: AppliedChange) => void;
}

/** One attempt to bring FRR to another configuration. */
export interface AppliedChange {
  readonly outcome: Exclude<ApplyOutcome['kind'], 'unchanged'> | 'failed';
  readonly durationMs: number;
  /** Typed into FRR, of an outcome `applied`. */
  readonly lines: number;
  /**
   * From the moment that the oldest of the changes in it was heard of until FRR had taken all of them; absent when FRR has
   * not, or when nothing that was heard of is the cause.
   */
  readonly sinceHeardMs?: number;
}

/** What became of the desired state. */
export interface FrrReport {
  /** What FRR refused, and whether FRR can be reached at all. */
  readonly problems: readonly Problem[];
  /** FRR holds what was wanted last, apart from what the problems name. */
  readonly applied: boolean;
}

/** What a desired state was decided from. */
export interface DesiredInput {
  /** When it was there, in milliseconds since the epoch; it is logged with what was applied. */
  readonly inputAt: number;
  /** When it was heard of, by `performance.now()`; absent: how long it takes until FRR has it is not measured. */
  readonly heardAtMs?: number;
  /** Part of the input could not be read yet: nothing that FRR holds is taken away. Default false. */
  readonly keepUnknown?: boolean;
}

export interface FrrDriver {
  /** The newest desired state; older ones that were not begun yet are dropped. */
  readonly want: (bgp: BgpDesiredState, input: DesiredInput) => void;
  /** A daemon was restarted: look at FRR afresh. */
  readonly frrRestarted: () => void;
  /** Settles when all that was wanted so far has been tried; never while FRR is away. */
  readonly idle: () => Promise<void>;
}

interface Wanted {
  readonly bgp: BgpDesiredState;
  readonly input: DesiredInput;
}

/**
 * Keeps FRR at the desired state: applies the newest one as soon as FRR is free, leaves out what FRR refuses in favour
 * of its last good version, tries again with a back-off while FRR is away.
 */
export function createFrrDriver(options: FrrDriverOptions): FrrDriver {
  const { applier, logger } = options;
  let desired: Wanted | undefined;
  /** The last state FRR took, and the last one that was also read back. */
  let taken: BgpDesiredState | undefined;
  let verified: BgpDesiredState | undefined;
  let refusals = NO_REFUSALS;
  /** Refused, and no part of it can be left out: not tried again until something changes. */
  let stuck: { readonly text: string; readonly problem: Problem } | undefined;
  /** FRR holds the desired state, apart from what is refused. */
  let inForce = false;
  /** When the oldest change was heard of that is being applied or was refused, and the oldest that came after these. */
  let heardAtMs: number | undefined;
  let newsHeardAtMs: number | undefined;
  let restarted = false;
  let verifyDue = false;
  let failing: string | undefined;
  let verifyTimer: NodeJS.Timeout | undefined;
  /** The last reading: when it was over, and how long it took. */
  let reading = { endedAtMs: -Infinity, tookMs: 0 };
  let burst:
    | {
        readonly sinceMs: number;
        readonly timer: NodeJS.Timeout;
        readonly end: PromiseWithResolvers<unknown>;
      }
    | undefined;

  const report = (): void => {
    const away = failing === undefined ? [] : [frrProblem(failing, true)];
    const problems = [...refusalProblems(refusals), ...(stuck ? [stuck.problem] : []), ...away];
    options.onReport({ problems, applied: inForce && failing === undefined });
  };

  const verifySoon = (): void => {
    clearTimeout(verifyTimer);
    verifyTimer = setTimeout(() => {
      verifyDue = true;
      loop.request();
    }, VERIFY_AFTER_MS);
  };

  const refuse = (
    outcome: Extract<ApplyOutcome, { kind: 'refused' | 'not-closed' }>,
    tried: { readonly bgp: BgpDesiredState; readonly text: string },
    lastGood: BgpDesiredState | undefined,
  ): void => {
    const refused = refusedLines(outcome);
    logger.error(
      { refused: refused.slice(0, 20), restored: outcome.restored },
      'FRR refuses the configuration',
    );
    taken = lastGood;
    const { namespace } = options;
    const blamed = withRefused(refusals, refused, { bgp: tried.bgp, namespace, lastGood });
    if (blamed) {
      refusals = blamed;
      loop.request();
      return;
    }
    // It may stay so for days, and what is applied then is another change.
    heardAtMs = undefined;
    const problem = frrProblem(`FRR refuses ${wordsOf(refused)}; the last good configuration stays`, false);
    stuck = { text: tried.text, problem };
  };

  const step = async (): Promise<WorkResult> => {
    if (!desired) return 'done';
    if (restarted) {
      restarted = false;
      await applier.forget();
    }
    const { bgp: wanted, input } = desired;
    refusals = stillWanted(refusals, wanted);
    const bgp = withoutRefused(wanted, refusals, taken);
    const text = options.render(bgp, options.renderOptions);
    if (stuck?.text !== text) stuck = undefined;
    const verifying = verifyDue;
    verifyDue = false;

    const before = taken;
    if (!stuck) {
      const keepUnknown = input.keepUnknown ?? false;
      heardAtMs ??= newsHeardAtMs;
      newsHeardAtMs = undefined;
      const outcome = await timed(
        () => applier.apply({ text, extras: bgp.extras, keepUnknown }),
        input.inputAt,
      );
      if (!isRefusal(outcome)) heardAtMs = undefined;
      if (isRefusal(outcome)) refuse(outcome, { bgp, text }, before);
      else taken = bgp;
      if (outcome.kind === 'applied' && outcome.verified) verified = bgp;
      if (outcome.kind === 'applied' && !outcome.verified && !verifying) verifySoon();
    }
    if (verifying && taken === bgp) {
      const startedAtMs = performance.now();
      const outcome = await timed(() => applier.verify(), input.inputAt);
      const endedAtMs = performance.now();
      reading = { endedAtMs, tookMs: endedAtMs - startedAtMs };
      if (isRefusal(outcome)) refuse(outcome, { bgp, text }, verified);
      else verified = bgp;
    }
    inForce = taken === bgp;
    return 'done';
  };

  const timed = async (work: () => Promise<ApplyOutcome>, inputAt: number): Promise<ApplyOutcome> => {
    const startedAt = performance.now();
    const outcome = await work();
    const endedAt = performance.now();
    const durationMs = endedAt - startedAt;
    if (outcome.kind === 'unchanged') return outcome;
    const isApplied = outcome.kind === 'applied';
    const lines = isApplied ? outcome.lines : 0;
    const sinceHeard = isApplied && heardAtMs !== undefined ? { sinceHeardMs: endedAt - heardAtMs } : {};
    options.onApply?.({ outcome: outcome.kind, durationMs, lines, ...sinceHeard });
    if (isApplied) {
      logger.info({ lines, via: outcome.via, durationMs, inputAt }, 'configuration applied');
    }
    return outcome;
  };

  const work = async (): Promise<WorkResult> => {
    const startedAt = performance.now();
    try {
      const result = await step();
      if (failing !== undefined) logger.info('FRR answers again');
      failing = undefined;
      report();
      return result;
    } catch (error) {
      options.onApply?.({ outcome: 'failed', durationMs: performance.now() - startedAt, lines: 0 });
      const words = failureOf(error);
      if (failing !== words) {
        failing = words;
        // A VtyError says all there is; of anything else the place in our code is needed.
        if (error instanceof VtyError) logger.warn({ code: error.code }, `${words}; trying again`);
        else logger.error({ err: error }, 'applying failed; trying again');
        report();
      }
      return 'retry';
    }
  };

  const requestAfterBurst = (): void => {
    const { sinceMs, end } = burst ?? { sinceMs: performance.now(), end: Promise.withResolvers() };
    clearTimeout(burst?.timer);
    const leftMs = sinceMs + BURST_MAX_MS - performance.now();
    const timer = setTimeout(
      () => {
        burst = undefined;
        loop.request();
        end.resolve(undefined);
      },
      Math.max(0, Math.min(BURST_QUIET_MS, leftMs)),
    );
    burst = { sinceMs, timer, end };
  };

  const loop = createWorkLoop({ work, backoffMs: applyBackoffMs, signal: options.signal });
  const safety = setInterval(() => {
    const restMs = Math.min(reading.tookMs / SAFETY_SHARE, SAFETY_MOST_MS);
    if (performance.now() - reading.endedAtMs >= restMs) verifyDue = true;
    // FRR may take now what it refused a minute ago, for example after an upgrade.
    stuck = undefined;
    loop.request();
  }, SAFETY_READ_MS);
  const stop = (): void => {
    clearInterval(safety);
    clearTimeout(verifyTimer);
    clearTimeout(burst?.timer);
    burst?.end.resolve(undefined);
    burst = undefined;
  };
  if (options.signal.aborted) stop();
  else options.signal.addEventListener('abort', stop, { once: true });

  return {
    want: (bgp, input) => {
      // Most changes of the cluster are none for this node's FRR, and the state is the very one of before.
      const isNews = desired?.bgp !== bgp || desired.input.keepUnknown !== input.keepUnknown;
      desired = { bgp, input };
      if (!isNews) return;
      newsHeardAtMs ??= input.heardAtMs;
      if (!isBurst(bgp, taken)) loop.request();
      else requestAfterBurst();
    },
    frrRestarted: () => {
      restarted = true;
      verifyDue = true;
      loop.hurry();
    },
    idle: async () => {
      if (burst) await burst.end.promise;
      await loop.idle();
    },
  };
}

/** Whether far more or fewer prefixes are wanted than FRR has; nothing is a burst before FRR has taken anything. */
function isBurst(bgp: BgpDesiredState, taken: BgpDesiredState | undefined): boolean {
  return taken !== undefined && Math.abs(prefixCount(bgp) - prefixCount(taken)) > BURST_PREFIXES;
}

function prefixCount(bgp: BgpDesiredState): number {
  return bgp.routers.reduce((sum, router) => sum + router.originated.length, 0);
}

type Refusal = Extract<ApplyOutcome, { kind: 'refused' | 'not-closed' }>;

function isRefusal(outcome: ApplyOutcome): outcome is Refusal {
  return outcome.kind === 'refused' || outcome.kind === 'not-closed';
}

function refusedLines(outcome: Refusal): readonly RefusedLine[] {
  if (outcome.kind === 'refused') return outcome.refused;
  return outcome.residual.map((line) => ({
    ...line,
    words: 'taken without a word, and not in the running configuration',
  }));
}

function failureOf(error: unknown): string {
  if (error instanceof VtyError) return `FRR cannot be reached: ${error.message}`;
  return `FRR cannot be configured: ${error instanceof Error ? error.message : String(error)}`;
}

function frrProblem(message: string, transient: boolean): Problem {
  return { field: '', reason: 'FrrRefused', message, transient, severity: 'error' };
}
