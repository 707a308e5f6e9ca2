import { compareText } from '../core/order.ts';
import { firstFree } from './address-space.ts';
import { samePorts, type Ledger } from './ledger.ts';
import { insertSorted, lowerBound, removeSorted } from './sorted-array.ts';
import type { Allocation } from './types.ts';

/**
 * What a Service can wait for. Its last part is free text, so two topics never have one text:
 * `free:<need>:<pool>` a free address, `ip:<address>` a use of that address, `share:<sharing key>` an address to share.
 */
export type Topic = `free:${Need}:${string}` | `ip:${string}` | `share:${string}`;

/** The families that must be free in one pool. */
export type Need = 'ipv4' | 'ipv6' | 'both' | 'either';

const NEEDS: readonly Need[] = ['ipv4', 'ipv6', 'both', 'either'];

export function freeTopic(need: Need, pool: string): Topic {
  return `free:${need}:${pool}`;
}

export function addressTopic(address: string): Topic {
  return `ip:${address}`;
}

export function shareTopic(sharingKey: string): Topic {
  return `share:${sharingKey}`;
}

/** What may have become possible for others when one Service's allocation changed from `before` to `after`. */
export function topicsOfChange(
  ledger: Ledger,
  before: Allocation | undefined,
  after: Allocation | undefined,
): Topic[] {
  const topics: Topic[] = [];
  const sameKeys = before?.sharingKey === after?.sharingKey && before?.backendKey === after?.backendKey;
  const sameUse = before && after && sameKeys && samePorts(before, after);
  let leftSomething = false;
  for (const ip of before?.ips ?? []) {
    const kept = after?.ips.some((held) => held.text === ip.text) ?? false;
    if (kept && sameUse) continue;
    leftSomething = true;
    topics.push(addressTopic(ip.text));
    if (before && !ledger.uses.has(ip.text))
      topics.push(...NEEDS.map((need) => freeTopic(need, before.pool)));
  }
  if (before && leftSomething && before.sharingKey !== '') topics.push(shareTopic(before.sharingKey));
  const joinedSomething = after?.ips.some(
    (ip) => !sameKeys || !before?.ips.some((held) => held.text === ip.text),
  );
  if (after && joinedSomething === true && after.sharingKey !== '') topics.push(shareTopic(after.sharingKey));
  return topics;
}

/** Services that wait, by what they wait for. */
export interface WaitingList {
  readonly topicsOf: Map<string, readonly Topic[]>;
  /** Service keys, ascending. */
  readonly keysOf: Map<Topic, string[]>;
}

export function createWaitingList(): WaitingList {
  return { topicsOf: new Map(), keysOf: new Map() };
}

/** Replaces what the Service waits for; an empty list takes it off. */
export function setWaiting(list: WaitingList, key: string, topics: readonly Topic[]): void {
  const previous = list.topicsOf.get(key) ?? [];
  if (previous.length === topics.length && previous.every((topic, index) => topic === topics[index])) return;
  for (const topic of previous) {
    const keys = list.keysOf.get(topic);
    if (!keys) continue;
    removeSorted(keys, key, compareText);
    if (keys.length === 0) list.keysOf.delete(topic);
  }
  list.topicsOf.delete(key);
  if (topics.length === 0) return;
  list.topicsOf.set(key, topics);
  for (const topic of topics) {
    const keys = list.keysOf.get(topic);
    if (keys) insertSorted(keys, key, compareText);
    else list.keysOf.set(topic, [key]);
  }
}

/** The next key after `after` that waits for one of `topics`; topics that have nothing to give are passed over. */
export function nextWaiting(
  list: WaitingList,
  ledger: Ledger,
  topics: Iterable<Topic>,
  after: string,
): string | undefined {
  let next: string | undefined;
  for (const topic of topics) {
    const keys = list.keysOf.get(topic);
    if (!keys || !canGive(ledger, topic)) continue;
    const index = lowerBound(keys, after, compareText);
    const candidate = keys[index] === after ? keys[index + 1] : keys[index];
    if (candidate !== undefined && (next === undefined || candidate < next)) next = candidate;
  }
  return next;
}

/** False only when certainly nobody who waits for the topic can be served by it. */
function canGive(ledger: Ledger, topic: Topic): boolean {
  const free = parseFreeTopic(topic);
  if (!free) return true;
  const spaces = ledger.table.entries.get(free.pool)?.spaces;
  if (!spaces) return false;
  const [ipv4, ipv6] = [firstFree(spaces.ipv4) !== undefined, firstFree(spaces.ipv6) !== undefined];
  switch (free.need) {
    case 'ipv4':
      return ipv4;
    case 'ipv6':
      return ipv6;
    case 'both':
      return ipv4 && ipv6;
    case 'either':
      return ipv4 || ipv6;
  }
}

function parseFreeTopic(topic: Topic): { readonly need: Need; readonly pool: string } | undefined {
  for (const need of NEEDS) {
    const prefix = freeTopic(need, '');
    if (topic.startsWith(prefix)) return { need, pool: topic.slice(prefix.length) };
  }
  return undefined;
}
