/** What one process measured, in milliseconds. */
export interface Look {
  /** A piece of work that never changes. */
  readonly yardstickMs: number;
  /** By the row's name. */
  readonly shortestMs: Readonly<Record<string, number>>;
}

/** How much more than noted is no step back yet. */
export const TOLERANCE = 0.25;

export type Ratios = Readonly<Record<string, number>>;

/**
 * What each row costs as a multiple of the yardstick: of the shortest times of all looks, since what else a machine does
 * makes a time longer and never shorter.
 */
export function ratiosOf(looks: readonly Look[]): Ratios {
  const yardstickMs = Math.min(...looks.map((look) => look.yardstickMs));
  const names = new Set(looks.flatMap(({ shortestMs }) => Object.keys(shortestMs)));
  return Object.fromEntries(
    [...names].map((name) => {
      const shortestMs = Math.min(...looks.map((look) => look.shortestMs[name] ?? Infinity));
      return [name, Number((shortestMs / yardstickMs).toPrecision(4))];
    }),
  );
}

export interface Compared {
  readonly name: string;
  readonly noted: number | undefined;
  readonly now: number | undefined;
  /** It costs more than noted, or one of the two is missing, so that nothing would be compared. */
  readonly isStepBack: boolean;
}

export function compare(noted: Ratios, now: Ratios): readonly Compared[] {
  return [...new Set([...Object.keys(noted), ...Object.keys(now)])].map((name) => {
    const [before, after] = [noted[name], now[name]];
    const isStepBack = before === undefined || after === undefined || after > before * (1 + TOLERANCE);
    return { name, noted: before, now: after, isStepBack };
  });
}
