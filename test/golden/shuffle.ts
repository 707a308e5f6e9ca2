/** The seed that was asked for, or one of this run. */
export function seedFrom(asked: string | undefined): number {
  if (asked === undefined || asked === '') return Math.floor(Math.random() * 0x1_0000_0000);
  const seed = Number(asked);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`GOLDEN_SEED ${asked}: must be a whole number`);
  return seed;
}

/** The items in an order that depends on the seed alone (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const random = generator(seed);
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [result[last], result[other]] as [T, T];
    result[last] = b;
    result[other] = a;
  }
  return result;
}

/** A linear congruential generator (constants of Numerical Recipes), its high bits as a fraction below 1. */
function generator(seed: number): () => number {
  let state = seed % 0x1_0000_0000;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}
