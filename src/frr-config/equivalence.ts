import { contextKey, type FrrConfig, type FrrContext } from './parse.ts';
import { identityOf } from './statement.ts';

/** One statement and where it stands. */
export interface PlacedStatement {
  /** Contexts from configure mode, outermost first; empty for the root. */
  readonly path: readonly string[];
  /** The canonical statement. */
  readonly line: string;
}

/**
 * What FRR made of statements that it prints in another form than they were typed in, or does not print at all, or
 * that bring others with them. Only the user's extras can hold such; all that we render is rendered as FRR prints it.
 */
export interface EquivalentForms {
  readonly typed: readonly PlacedStatement[];
  readonly printed: readonly PlacedStatement[];
}

/**
 * Takes what FRR shows after it accepted the extras as another form of them. Statements are taken together by context,
 * or all of them where FRR printed something in a context that nothing was typed in.
 *
 * @param before the running configuration right before nothing but extras was typed: what it already showed is no form
 *   of them
 * @param running the running configuration right afterwards
 * @param extras the extras alone, parsed
 * @returns empty when FRR shows the extras as they were typed
 */
export function learnForms(options: {
  readonly before: FrrConfig;
  readonly running: FrrConfig;
  readonly wanted: FrrConfig;
  readonly extras: FrrConfig;
}): readonly EquivalentForms[] {
  const { before, running, wanted, extras } = options;
  const typed = statementsOf(extras).filter((placed) => holds(wanted, placed) && !holds(before, placed));
  const unseen = typed.filter((placed) => !holds(running, placed));
  const printed = statementsOf(running).filter((placed) => !holds(wanted, placed) && !holds(before, placed));
  if (unseen.length === 0 && printed.length === 0) return [];

  const keys = new Set([...unseen, ...printed].map(({ path }) => contextKey(path)));
  const groups = [...keys].map((key) => {
    const here = ({ path }: PlacedStatement): boolean => contextKey(path) === key;
    const unseenHere = unseen.filter(here);
    return {
      typed: unseenHere.length > 0 ? unseenHere : typed.filter(here),
      printed: printed.filter(here),
    };
  });
  if (groups.every((group) => group.typed.length > 0)) return groups;
  // Printed without anything that was typed: nobody's, or of what was typed elsewhere.
  return typed.length === 0 ? [] : [{ typed, printed }];
}

/**
 * The running configuration with printed forms put back into the typed ones: those of which all that was typed is
 * still wanted and all that was printed is still there. Others stay as they are, so that what FRR prints is taken out
 * and what is wanted is typed again.
 */
export function underEquivalence(
  running: FrrConfig,
  wanted: FrrConfig,
  forms: readonly EquivalentForms[],
): FrrConfig {
  const valid = forms.filter(
    (form) =>
      form.typed.every((placed) => holds(wanted, placed)) &&
      form.printed.every((placed) => holds(running, placed)),
  );
  if (valid.length === 0) return running;
  const contexts = new Map<string, FrrContext & { readonly statements: Map<string, string> }>();
  for (const [key, context] of running.contexts) {
    contexts.set(key, { ...context, statements: new Map(context.statements) });
  }
  for (const { printed } of valid) {
    for (const { path, line } of printed) {
      contexts.get(contextKey(path))?.statements.delete(identityOf(path, line));
    }
  }
  for (const { typed } of valid) {
    for (const { path, line } of typed) {
      const key = contextKey(path);
      const target = contexts.get(key) ?? { key, path, statements: new Map<string, string>() };
      contexts.set(key, target);
      target.statements.set(identityOf(path, line), line);
    }
  }
  for (const { path } of valid.flatMap(({ printed }) => printed)) {
    const key = contextKey(path);
    if (contexts.get(key)?.statements.size === 0 && !wanted.contexts.has(key)) contexts.delete(key);
  }
  return { ...running, contexts };
}

/** True when the statement stands in the configuration with this very value. */
export function holds(config: FrrConfig, placed: PlacedStatement): boolean {
  const context = config.contexts.get(contextKey(placed.path));
  return context?.statements.get(identityOf(placed.path, placed.line)) === placed.line;
}

function statementsOf(config: FrrConfig): PlacedStatement[] {
  return [...config.contexts.values()].flatMap(({ path, statements }) =>
    [...statements.values()].map((line) => ({ path, line })),
  );
}
