import type { Problem } from '../core/problem.ts';
import type { Labels } from '../core/selector.ts';
import type { BgpAdvertisement, Config, L2Advertisement, Peer } from './types.ts';

export interface NodeIdentity {
  readonly name: string;
  /** Of the Node object; `{}` when there is none. `kubernetes.io/hostname` is taken to be the name when it is not there. */
  readonly labels: Labels;
}

/** The part of a Config that one node has to act on. Every list is sorted by name. */
export interface NodeSelection {
  readonly peers: readonly Peer[];
  readonly bgpAdvertisements: readonly BgpAdvertisement[];
  readonly l2Advertisements: readonly L2Advertisement[];
  readonly problems: readonly Problem[];
}

/**
 * Selects what concerns one node, and applies the rules that hold among the peers and advertisements of one node:
 * what conflicts with something in use there is set aside, with a Problem, on this node only.
 * @param previous the result of the call before for the same node: what is in use wins over a newcomer
 */
export function selectForNode(config: Config, node: NodeIdentity, previous?: NodeSelection): NodeSelection {
  throw new Error(
    `not written yet: ${node.name} ${String(config.peers.length)} ${String(previous === undefined)}`,
  );
}
