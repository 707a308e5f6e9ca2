import type { FrrConfig, FrrContext } from './parse.ts';

/** One statement and where it stands. */
interface Placed {
  readonly context: FrrContext;
  readonly identity: string;
  readonly statement: string;
}

/**
 * What FRR made of statements that it prints in another form than they were typed in, or does not print at all.
 * Only the user's extras can hold such; all that we render is rendered as FRR prints it.
 */
export interface Equivalence {
  readonly typed: readonly Placed[];
  readonly printed: readonly Placed[];
}

/**
 * Takes what FRR shows after it accepted the extras as another form of them.
 *
 * @param before the running configuration from before they were typed
 * @param extras the extras alone, parsed
 * @returns undefined when the difference is not one of form: a statement of ours is missing, or one that had to go
 *   is still there
 */
export function learnEquivalence(options: {
  readonly before: FrrConfig;
  readonly running: FrrConfig;
  readonly wanted: FrrConfig;
  readonly extras: FrrConfig;
}): Equivalence | undefined {
  const typed = missingFrom(options.running, options.wanted);
  const printed = missingFrom(options.wanted, options.running);
  if (typed.length === 0) return undefined;
  const allFromExtras = typed.every((placed) => holds(options.extras, placed));
  const nothingLeftOver = printed.every((placed) => !holds(options.before, placed));
  return allFromExtras && nothingLeftOver ? { typed, printed } : undefined;
}

/**
 * The running configuration with the printed forms put back into the typed ones, as long as all that was typed is
 * still wanted; otherwise as it is, so that the printed forms are taken out and the rest is typed again.
 */
export function underEquivalence(
  running: FrrConfig,
  wanted: FrrConfig,
  equivalence: Equivalence | undefined,
): FrrConfig {
  if (!equivalence?.typed.every((placed) => holds(wanted, placed))) return running;
  const contexts = new Map(
    [...running.contexts].map(([key, context]) => [key, { ...context, statements: new Map(context.statements) }]),
  );
  for (const { context, identity } of equivalence.printed) contexts.get(context.key)?.statements.delete(identity);
  for (const { context, identity, statement } of equivalence.typed) {
    let target = contexts.get(context.key);
    if (!target) {
      target = { key: context.key, path: context.path, statements: new Map() };
      contexts.set(context.key, target);
    }
    target.statements.set(identity, statement);
  }
  for (const { context } of equivalence.printed) {
    const emptied = contexts.get(context.key);
    if (emptied?.statements.size === 0 && !wanted.contexts.has(context.key)) contexts.delete(context.key);
  }
  return { ...running, contexts };
}

/** Statements of `wanted` that `present` does not hold. */
function missingFrom(present: FrrConfig, wanted: FrrConfig): Placed[] {
  return [...wanted.contexts.values()].flatMap((context) =>
    [...context.statements]
      .map(([identity, statement]) => ({ context, identity, statement }))
      .filter((placed) => !holds(present, placed)),
  );
}

function holds(config: FrrConfig, placed: Placed): boolean {
  return config.contexts.get(placed.context.key)?.statements.get(placed.identity) === placed.statement;
}
