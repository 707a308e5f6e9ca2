import { lastOf, type IpFamily, type Prefix } from '../core/ip.ts';
import { createHeap, heapMin, heapPop, heapPush, type NumberHeap } from './number-heap.ts';
import type { SharingGroup } from './sharing-group.ts';

/**
 * The addresses of one pool and family in the order in which they are handed out, and which of them are used.
 *
 * An address is known by its position: 0 is the first address of the first block. Every position below `cursor` is used,
 * avoided, or in `freed`; so the first free one is found without looking at the used ones again.
 */
export interface AddressSpace {
  readonly family: IpFamily;
  /** In the order of the pool's specification. */
  readonly blocks: readonly Block[];
  /** Number of positions, avoided ones included. */
  readonly size: bigint;
  /** IPv4 addresses that end in .0 or .255 are skipped. */
  readonly avoidBuggyIPs: boolean;
  /** Used positions. Those above 2^53 are left out: `cursor` moves one at a time and cannot get there. */
  readonly used: Set<number>;
  readonly freed: NumberHeap;
  cursor: number;
  /** Number of distinct addresses in use. */
  usedCount: number;
  /** Shared addresses of this space by sharing key and backend key. */
  readonly groups: Map<string, SharingGroup>;
}

/** A run of addresses. */
export interface Block {
  readonly first: bigint;
  readonly last: bigint;
  /** Position of `first`. */
  readonly start: bigint;
}

export function createAddressSpace(
  family: IpFamily,
  prefixes: readonly Prefix[],
  avoidBuggyIPs: boolean,
): AddressSpace {
  const blocks: Block[] = [];
  let size = 0n;
  for (const prefix of prefixes) {
    if (prefix.family !== family) continue;
    const last = lastOf(prefix);
    blocks.push({ first: prefix.first, last, start: size });
    size += last - prefix.first + 1n;
  }
  return {
    family,
    blocks,
    size,
    avoidBuggyIPs: avoidBuggyIPs && family === 'ipv4',
    used: new Set(),
    freed: createHeap(),
    cursor: 0,
    usedCount: 0,
    groups: new Map(),
  };
}

/** Some old home routers treat x.x.x.0 and x.x.x.255 as broadcast and drop packets to them; pools can avoid the two. */
export function isBuggyAddress(family: IpFamily, value: bigint): boolean {
  if (family !== 'ipv4') return false;
  const octet = Number(value & 0xffn);
  return octet === 0 || octet === 255;
}

/** The number of the address at `position`, which lies below `size`. */
export function addressAt(space: AddressSpace, position: bigint): bigint {
  let low = 0;
  let high = space.blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const block = space.blocks[middle];
    if (block !== undefined && block.start <= position) low = middle;
    else high = middle - 1;
  }
  const block = space.blocks[low];
  if (block === undefined) throw new RangeError(`position ${String(position)} in an empty address space`);
  return block.first + (position - block.start);
}

/** Position of the first address that nobody uses; undefined when all are used. */
export function firstFree(space: AddressSpace): number | undefined {
  for (let min = heapMin(space.freed); min !== undefined; min = heapMin(space.freed)) {
    if (!space.used.has(min)) return min;
    heapPop(space.freed);
  }
  while (space.cursor < space.size) {
    if (!space.used.has(space.cursor) && !isAvoided(space, space.cursor)) return space.cursor;
    space.cursor += 1;
  }
  return undefined;
}

export function markUsed(space: AddressSpace, position: bigint): void {
  space.usedCount += 1;
  if (position <= Number.MAX_SAFE_INTEGER) space.used.add(Number(position));
}

export function markFree(space: AddressSpace, position: bigint): void {
  space.usedCount -= 1;
  if (position > Number.MAX_SAFE_INTEGER) return;
  space.used.delete(Number(position));
  if (position < space.cursor) heapPush(space.freed, Number(position));
}

function isAvoided(space: AddressSpace, position: number): boolean {
  return space.avoidBuggyIPs && isBuggyAddress(space.family, addressAt(space, BigInt(position)));
}
