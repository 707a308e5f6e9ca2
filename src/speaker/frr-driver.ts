import type { Logger } from 'pino';
import type { Problem } from '../core/problem.ts';
import type { FrrConfOptions, FrrConfTemplate } from '../frr-render/index.ts';
import { VtyError, type ApplyOutcome, type FrrApplier, type RefusedLine } from '../frr-vty/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { NO_REFUSALS, refusalProblems, stillWanted, withoutRefused, withRefused } from './refusals.ts';
import { applyBackoffMs, createWorkLoop, type WorkResult } from './work-loop.ts';

/** A small change is read back when FRR has been left alone for this long. */
const VERIFY_AFTER_MS = 1_000;
/** How often FRR's configuration is read without any cause, and a refused one tried again. */
const SAFETY_READ_MS = 60_000;

export interface FrrDriverOptions {
  readonly applier: FrrApplier;
  readonly render: FrrConfTemplate;
  readonly renderOptions: FrrConfOptions;
  /** Namespace of the metallb.io objects, for problems. */
  readonly namespace: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onReport: (report: FrrReport) => void;
  readonly onApply?: (apply: { readonly outcome: ApplyOutcome['kind'] | 'failed'; readonly durationMs: number; readonly lines: number }) => void;
}

/** What became of the desired state. */
export interface FrrReport {
  /** What FRR refused, and whether FRR can be reached at all. */
  readonly problems: readonly Problem[];
  /** FRR holds what was wanted last, apart from what the problems name. */
  readonly applied: boolean;
}

export interface FrrDriver {
  /**
   * The newest desired state; older ones that were not begun yet are dropped.
   * `inputAt`: when the input of the decision was there, in milliseconds since the epoch; it is logged with what was applied.
   */
  readonly want: (bgp: BgpDesiredState, input: { readonly inputAt: number }) => void;
  /** A daemon was restarted: look at FRR afresh. */
  readonly frrRestarted: () => void;
  readonly idle: () => Promise<void>;
}

/**
 * Keeps FRR at the desired state: applies the newest one as soon as FRR is free, leaves out what FRR refuses in favour
 * of its last good version, tries again with a back-off while FRR is away.
 */
export function createFrrDriver(options: FrrDriverOptions): FrrDriver {
  const { applier, logger } = options;
  let desired: BgpDesiredState | undefined;
  let inputAt = 0;
  let inForce: BgpDesiredState | undefined;
  let refusals = NO_REFUSALS;
  /** Refused as a whole: not tried again until something changes. */
  let hopeless: { readonly text: string; readonly problem: Problem } | undefined;
  let restarted = false;
  let verifyDue = false;
  let failing: string | undefined;
  let verifyTimer: NodeJS.Timeout | undefined;

  const report = (applied: boolean): void => {
    const away = failing === undefined ? [] : [frrProblem(`FRR cannot be reached: ${failing}`, true)];
    const problems = [...refusalProblems(refusals), ...(hopeless ? [hopeless.problem] : []), ...away];
    options.onReport({ problems, applied });
  };

  const settle = (outcome: ApplyOutcome, text: string, bgp: BgpDesiredState): WorkResult => {
    if (outcome.kind === 'unchanged' || outcome.kind === 'applied') {
      inForce = bgp;
      hopeless = undefined;
      if (outcome.kind === 'applied' && !outcome.verified) verifySoon();
      report(true);
      return 'done';
    }
    const refused = refusedLines(outcome);
    logger.error({ refused, restored: outcome.restored }, 'FRR refuses the configuration');
    const blamed = withRefused(refusals, refused, { bgp, namespace: options.namespace });
    if (blamed) {
      refusals = blamed;
      loop.request();
    } else {
      const words = refused.map(({ line, words: said }) => `"${line}": ${said}`).join('; ');
      hopeless = { text, problem: frrProblem(`FRR refuses ${words}; the last good configuration stays`, false) };
    }
    report(false);
    return 'done';
  };

  const verifySoon = (): void => {
    clearTimeout(verifyTimer);
    verifyTimer = setTimeout(() => {
      verifyDue = true;
      loop.request();
    }, VERIFY_AFTER_MS);
  };

  const step = async (): Promise<WorkResult> => {
    if (!desired) return 'done';
    if (restarted) {
      restarted = false;
      await applier.forget();
    }
    refusals = stillWanted(refusals, desired);
    const bgp = withoutRefused(desired, refusals, inForce);
    const text = options.render(bgp, options.renderOptions);
    if (hopeless && hopeless.text !== text) hopeless = undefined;
    const inputUsed = inputAt;
    const startedAt = performance.now();
    const verifying = verifyDue;
    verifyDue = false;
    let outcome: ApplyOutcome = { kind: 'unchanged' };
    if (!hopeless) outcome = await applier.apply({ text, extras: bgp.extras });
    if (verifying && outcome.kind === 'unchanged') outcome = await applier.verify();
    const durationMs = performance.now() - startedAt;
    if (failing !== undefined) {
      failing = undefined;
      logger.info('FRR answers again');
    }
    if (outcome.kind !== 'unchanged') {
      const lines = outcome.kind === 'applied' ? outcome.lines : 0;
      options.onApply?.({ outcome: outcome.kind, durationMs, lines });
      if (outcome.kind === 'applied') logger.info({ lines, via: outcome.via, durationMs, inputAt: inputUsed }, 'configuration applied');
    }
    return hopeless ? 'done' : settle(outcome, text, bgp);
  };

  const work = async (): Promise<WorkResult> => {
    const startedAt = performance.now();
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof VtyError)) throw error;
      options.onApply?.({ outcome: 'failed', durationMs: performance.now() - startedAt, lines: 0 });
      if (failing !== error.message) {
        failing = error.message;
        logger.warn({ err: error }, 'FRR cannot be reached, trying again');
        report(false);
      }
      return 'retry';
    }
  };

  const loop = createWorkLoop({ work, backoffMs: applyBackoffMs, signal: options.signal });
  const safety = setInterval(() => {
    verifyDue = true;
    // FRR may take now what it refused a minute ago, for example after an upgrade.
    hopeless = undefined;
    loop.request();
  }, SAFETY_READ_MS);
  options.signal.addEventListener('abort', () => {
    clearInterval(safety);
    clearTimeout(verifyTimer);
  });

  return {
    want: (bgp, input) => {
      desired = bgp;
      inputAt = input.inputAt;
      loop.request();
    },
    frrRestarted: () => {
      restarted = true;
      verifyDue = true;
      loop.request();
    },
    idle: loop.idle,
  };
}

function refusedLines(outcome: Extract<ApplyOutcome, { kind: 'refused' | 'not-closed' }>): readonly RefusedLine[] {
  if (outcome.kind === 'refused') return outcome.refused;
  return outcome.residual.map((line) => ({ line, words: 'taken without a word, and not in the running configuration' }));
}

function frrProblem(message: string, transient: boolean): Problem {
  return { field: '', reason: 'FrrRefused', message, transient, severity: 'error' };
}
