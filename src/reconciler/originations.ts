import type { BgpAdvertisement } from '../config/index.ts';
import { comparePrefix, type Prefix } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import type { Send } from './decisions.ts';

/** A prefix, once for however many Services. */
export interface Origination {
  readonly prefix: Prefix;
  /** All that lead to the prefix, from whatever Service, sorted by name. */
  readonly advertisements: readonly BgpAdvertisement[];
}

/** More prefixes than this are sorted together with all others rather than put in one by one. */
const ONE_BY_ONE = 8;

/**
 * Gives the function that keeps up with what is sent: told what left and what came, it gives every prefix once, sorted. An
 * origination is the same object for as long as it says the same, and so is the list.
 */
export function createOriginations(): (
  left: readonly Send[],
  came: readonly Send[],
) => readonly Origination[] {
  /** By prefix and advertisement, how many sends there are. */
  const counts = new Map<string, Map<BgpAdvertisement, number>>();
  const originations = new Map<string, Origination>();
  let sorted: readonly Origination[] = [];

  const count = ({ prefix, advertisement }: Send, by: 1 | -1): void => {
    const ofPrefix = counts.get(prefix.text) ?? new Map<BgpAdvertisement, number>();
    const now = (ofPrefix.get(advertisement) ?? 0) + by;
    if (now === 0) ofPrefix.delete(advertisement);
    else ofPrefix.set(advertisement, now);
    if (ofPrefix.size === 0) counts.delete(prefix.text);
    else counts.set(prefix.text, ofPrefix);
  };

  return (left, came) => {
    const touched = new Map<string, Prefix>();
    for (const send of left) count(send, -1);
    for (const send of came) count(send, 1);
    for (const { prefix } of [...left, ...came]) touched.set(prefix.text, prefix);

    const changes = [...touched].flatMap(([text, prefix]) => {
      const before = originations.get(text);
      const advertisements = [...(counts.get(text)?.keys() ?? [])].sort(byText(({ name }) => name));
      if (isSameList(before?.advertisements ?? [], advertisements)) return [];
      const after = advertisements.length === 0 ? undefined : { prefix, advertisements };
      if (after) originations.set(text, after);
      else originations.delete(text);
      return [{ prefix, isThere: before !== undefined, after }];
    });
    if (changes.length > ONE_BY_ONE) {
      sorted = [...originations.values()].sort((a, b) => comparePrefix(a.prefix, b.prefix));
    } else {
      for (const { prefix, isThere, after } of changes) {
        sorted = sorted.toSpliced(placeOf(prefix, sorted), isThere ? 1 : 0, ...(after ? [after] : []));
      }
    }
    return sorted;
  };
}

/** Where a prefix stands in a sorted list, or would. */
function placeOf(prefix: Prefix, sorted: readonly Origination[]): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = sorted[middle];
    if (there && comparePrefix(there.prefix, prefix) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
