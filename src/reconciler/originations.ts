import type { BgpAdvertisement } from '../config/index.ts';
import { withMiddle } from '../core/changed-middle.ts';
import { comparePrefix, type Prefix } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import { isSameList } from '../core/same-list.ts';
import { placeIn } from '../core/sorted.ts';
import type { Send } from './decisions.ts';

/** A prefix, once for however many Services. */
export interface Origination {
  readonly prefix: Prefix;
  /** All that lead to the prefix, from whatever Service, sorted by name. */
  readonly advertisements: readonly BgpAdvertisement[];
}

/** What leads to a prefix: one send, as most have, or how many there are with each advertisement. */
type Senders = BgpAdvertisement | Map<BgpAdvertisement, number>;

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
  const senders = new Map<string, Senders>();
  const originations = new Map<string, Origination>();
  const alone = new WeakMap<BgpAdvertisement, readonly [BgpAdvertisement]>();
  let sorted: readonly Origination[] = [];

  const count = ({ prefix: { text }, advertisement }: Send, by: 1 | -1): void => {
    const now = counted(senders.get(text), advertisement, by);
    if (now) senders.set(text, now);
    else senders.delete(text);
  };
  const advertisementsOf = (text: string): readonly BgpAdvertisement[] => {
    const of = senders.get(text);
    if (of === undefined) return [];
    if (of instanceof Map) return [...of.keys()].sort(byText(({ name }) => name));
    const known = alone.get(of) ?? [of];
    alone.set(of, known);
    return known;
  };

  return (left, came) => {
    const touched = new Map<string, Prefix>();
    for (const send of left) count(send, -1);
    for (const send of came) count(send, 1);
    for (const { prefix } of [...left, ...came]) touched.set(prefix.text, prefix);

    const changes = [...touched].flatMap(([text, prefix]) => {
      const before = originations.get(text);
      const advertisements = advertisementsOf(text);
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
        const at = placeIn(sorted, (each) => comparePrefix(each.prefix, prefix) < 0);
        sorted = withMiddle(sorted, at, isThere ? 1 : 0, after ? [after] : []);
      }
    }
    return sorted;
  };
}

/** @returns undefined when none is left */
function counted(of: Senders | undefined, advertisement: BgpAdvertisement, by: 1 | -1): Senders | undefined {
  if (of === undefined) return advertisement;
  if (of === advertisement && by === -1) return undefined;
  const counts = of instanceof Map ? of : new Map([[of, 1]]);
  const now = (counts.get(advertisement) ?? 0) + by;
  if (now === 0) counts.delete(advertisement);
  else counts.set(advertisement, now);
  return counts.size === 0 ? undefined : counts;
}
