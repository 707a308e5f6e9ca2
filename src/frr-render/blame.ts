import type { Peer } from '../config/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { neighborName } from './neighbor.ts';

/** Whose doing a refused line is. */
export interface Blame {
  readonly extras: boolean;
  readonly peers: readonly Peer[];
}

/** Finds the parts of the desired state that a line FRR refused comes from; nothing when it is none's in particular. */
export function blameFor(lines: readonly string[], bgp: BgpDesiredState): Blame {
  const extras = new Set(bgp.extras.split('\n').map((line) => line.trim()));
  const neighbors = new Set(lines.map((line) => /^(?:no )?neighbor (\S+) /.exec(line)?.[1]));
  return {
    extras: lines.some((line) => extras.has(line)),
    peers: bgp.routers.flatMap((router) => router.neighbors).filter((peer) => neighbors.has(neighborName(peer))),
  };
}
