import { endsWithDirective, opensDocument } from './split.ts';

/** What a text has in common with the one before: so many pieces at the start and at the end, and what is between. */
export interface KeptEnds {
  readonly first: number;
  readonly last: number;
  /** Offsets in the new text. */
  readonly from: number;
  readonly to: number;
}

/**
 * An edit mostly leaves all pieces before and behind it alone. They are found by comparing the texts in halves, which
 * reads each text twice at most and looks at no piece.
 * @param previous the text before, and where its pieces begin, then its length
 */
export function keptEnds(
  text: string,
  previous: { readonly text: string; readonly starts: readonly number[] },
): KeptEnds {
  const { starts } = previous;
  const total = starts.length - 1;
  const startOf = (piece: number): number => starts[piece] ?? 0;

  const prefix = commonLength(text, previous.text, 'start');
  let first = lastAtMost(starts, prefix);
  // A piece ends where the next one opens; without that, the text goes on where the piece ended before.
  const isWhole = (end: number): boolean => end === text.length || opensDocument(text, end);
  while (first > 0 && !isWhole(startOf(first))) first -= 1;
  // Only the last piece can be directives alone, and they belong to what follows them now.
  if (first === total && first > 0 && endsWithDirective(text.slice(startOf(first - 1), startOf(first))))
    first -= 1;
  const from = startOf(first);

  const room = Math.min(text.length, previous.text.length) - from;
  const suffix = Math.min(commonLength(text, previous.text, 'end'), room);
  const shift = text.length - previous.text.length;
  let last = total - firstAtLeast(starts, previous.text.length - suffix);
  while (last > 0 && !opensDocument(text, startOf(total - last) + shift)) last -= 1;
  const to = startOf(total - last) + shift;
  // Directives at the end of what is between belong to the piece behind them.
  if (last > 0 && endsWithDirective(text.slice(from, to))) return { first, last: 0, from, to: text.length };
  return { first, last, from, to };
}

/** How many characters two texts have in common at one end. */
function commonLength(a: string, b: string, end: 'start' | 'end'): number {
  const part =
    end === 'start'
      ? (text: string, from: number, to: number): string => text.slice(from, to)
      : (text: string, from: number, to: number): string => text.slice(text.length - to, text.length - from);
  let equal = 0;
  let bound = Math.min(a.length, b.length);
  while (equal < bound) {
    const middle = Math.ceil((equal + bound) / 2);
    if (part(a, equal, middle) === part(b, equal, middle)) equal = middle;
    else bound = middle - 1;
  }
  return equal;
}

/** Index of the last of ascending numbers that is at most `limit`; the first number is 0. */
function lastAtMost(numbers: readonly number[], limit: number): number {
  return firstAtLeast(numbers, limit + 1) - 1;
}

/** Index of the first of ascending numbers that is at least `limit`; their count without one. */
function firstAtLeast(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
