/** How often it is done: the shortest counts. */
const ROUNDS = 15;
const TEXTS = 20_000;

/**
 * How long this machine needs for a piece of work of the kind that ours consists of, texts and maps of them, and which must
 * never change: times are told as multiples of it. Milliseconds.
 */
export function yardstickMs(): number {
  let shortest = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    work(round);
    shortest = Math.min(shortest, performance.now() - startedAt);
  }
  return shortest;
}

function work(round: number): number {
  const byText = new Map<string, { readonly index: number; readonly parts: readonly string[] }>();
  for (let index = 0; index < TEXTS; index += 1) {
    const text = `10.${(index * 7) & 255}.${index >>> 8}.${index & 255}/${round}`;
    byText.set(text, { index, parts: text.split('.') });
  }
  const sorted = [...byText.keys()].sort();
  const copy = JSON.parse(JSON.stringify([...byText.values()])) as readonly { readonly index: number }[];
  return sorted.reduce((sum, text) => sum + (byText.get(text)?.index ?? 0), copy.length);
}
