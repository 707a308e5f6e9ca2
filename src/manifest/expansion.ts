/**
 * Aliases let a short text stand for a very large value. The value is a small graph here, but whoever walks or
 * prints it pays for the expansion, so documents beyond these limits are refused.
 */
const MAX_WEIGHT = 1_000_000;
const MAX_DEPTH = 100;
/** A long scalar weighs as much as this many characters in scalars of its own would. */
const CHARACTERS_PER_WEIGHT = 64;

/** What is wrong with a document that uses aliases; undefined when its expansion is small enough. */
export function expansionFault(value: unknown): string | undefined {
  const sizes = new Map<object, Size | 'open'>();
  try {
    measure(value, sizes);
    return undefined;
  } catch (error) {
    if (error instanceof ExpansionError) return error.message;
    throw error;
  }
}

interface Size {
  readonly weight: number;
  readonly depth: number;
}

class ExpansionError extends Error {}

/**
 * An anchor stands before its aliases, and this walk visits in the text's order: an alias always finds its size
 * known, so the recursion is no deeper than the text is nested, which the parser bounds.
 */
function measure(value: unknown, sizes: Map<object, Size | 'open'>): Size {
  if (typeof value === 'string') return { weight: 1 + value.length / CHARACTERS_PER_WEIGHT, depth: 0 };
  if (typeof value !== 'object' || value === null) return { weight: 1, depth: 0 };
  const known = sizes.get(value);
  if (known === 'open') throw new ExpansionError('an anchor contains an alias of itself');
  if (known) return known;
  sizes.set(value, 'open');
  let weight = 1;
  let depth = 0;
  for (const child of Object.values(value)) {
    const size = measure(child, sizes);
    weight += size.weight;
    depth = Math.max(depth, size.depth + 1);
    if (weight > MAX_WEIGHT) throw new ExpansionError('aliases expand to more than a million values');
    if (depth > MAX_DEPTH) throw new ExpansionError(`aliases nest deeper than ${String(MAX_DEPTH)} levels`);
  }
  const size = { weight, depth };
  sizes.set(value, size);
  return size;
}
