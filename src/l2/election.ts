import { hash } from 'node:crypto';
import { compareText } from '../core/order.ts';

/** A node that may answer for a group's addresses, and how much the advertisements prefer it. */
export interface Candidate {
  readonly node: string;
  /** Sum of the weights of `preferredNodeSelectors` that match; 0 when none does. */
  readonly score: number;
}

/**
 * MetalLB's order of nodes for an address: SHA-256 over `node#ip`, the lowest first. Kept bit by bit, so that a cluster
 * that moves over finds each address where it was.
 * @param ip canonical text of the first address
 */
export function addressHash(node: string, ip: string): string {
  return hash('sha256', `${node}#${ip}`);
}

/** Whether `a` stands before `b` in the order of an address. */
export function standsBefore(a: string, b: string, ip: string): boolean {
  return compareText(addressHash(a, ip), addressHash(b, ip)) < 0;
}

/**
 * The candidates in the order in which they would be chosen for an address that nobody has: the highest score, then the
 * fewest addresses so far (when `load` is given), then the lowest hash.
 */
export function choiceOrder(
  candidates: readonly Candidate[],
  ip: string,
  load?: ReadonlyMap<string, number>,
): readonly string[] {
  return candidates
    .map(({ node, score }) => ({ node, score, load: load?.get(node) ?? 0, hash: addressHash(node, ip) }))
    .sort((a, b) => b.score - a.score || a.load - b.load || compareText(a.hash, b.hash))
    .map(({ node }) => node);
}

/**
 * The candidates in the order in which they follow an owner that is lost: the highest score, then the nearest to the
 * owner on a ring of all candidates, ordered by the hash of their names; of two as near the one behind the owner.
 *
 * A ring, and not an order for each address: the first two followers of a node are then the same for all that it owns,
 * so that a node has two sessions to keep however many addresses there are.
 */
export function succession(candidates: readonly Candidate[], owner: string): readonly string[] {
  let orders = orderings.get(candidates);
  if (!orders) {
    orders = new Map();
    orderings.set(candidates, orders);
  }
  let order = orders.get(owner);
  if (!order) {
    order = successionOf(candidates, owner);
    orders.set(owner, order);
  }
  return order;
}

/** Lists of candidates are shared by all Services whose advertisements choose the same nodes: one order serves them all. */
const orderings = new WeakMap<readonly Candidate[], Map<string, readonly string[]>>();

function successionOf(candidates: readonly Candidate[], owner: string): readonly string[] {
  const nodes = new Set(candidates.map(({ node }) => node)).add(owner);
  const ring = [...nodes]
    .map((node) => ({ node, place: hash('sha256', node) }))
    .sort((a, b) => compareText(a.place, b.place))
    .map(({ node }) => node);
  const start = ring.indexOf(owner);
  const distances = new Map(
    ring.map((node, index): [string, number] => {
      const behind = (index - start + ring.length) % ring.length;
      // Of two as near the one behind comes first: 1 behind, 1 before, 2 behind, ...
      return [node, Math.min(2 * behind - 1, 2 * (ring.length - behind))];
    }),
  );
  return candidates
    .filter(({ node }) => node !== owner)
    .map(({ node, score }) => ({ node, score, distance: distances.get(node) ?? 0 }))
    .sort((a, b) => b.score - a.score || a.distance - b.distance)
    .map(({ node }) => node);
}

/** How many followers of an owner watch it. */
export const RUNNERS_UP = 2;

/** The nodes that watch an owner, and that follow it first. */
export function runnersUp(candidates: readonly Candidate[], owner: string): readonly string[] {
  return succession(candidates, owner).slice(0, RUNNERS_UP);
}
