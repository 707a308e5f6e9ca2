import type { BfdProfile, Peer } from '../config/index.ts';
import { contextKey, neighborOf, parseFrrConfig, withoutPassword } from '../frr-config/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { neighborName } from './neighbor.ts';

/** Whose doing a refused line is. */
export interface Blame {
  readonly extras: boolean;
  readonly peers: readonly Peer[];
  readonly bfdProfiles: readonly BfdProfile[];
}

/** A line as it was typed, passwords hidden, and the contexts around it, outermost first. */
export interface BlamedLine {
  readonly path: readonly string[];
  readonly line: string;
}

/**
 * Finds the part of the desired state that a line FRR refused comes from; none when it is nobody's in particular.
 * What the user's extras say themselves is theirs, even where it is about one of our neighbors.
 */
export function blameFor(blamed: BlamedLine, bgp: BgpDesiredState): Blame {
  if (isOfExtras(blamed, bgp.extras)) return { extras: true, peers: [], bfdProfiles: [] };
  const words = [...blamed.path, blamed.line];
  return {
    extras: false,
    peers: peersOf(blamed, bgp),
    bfdProfiles: bgp.bfdProfiles.filter(({ name }) => words.includes(`profile ${name}`)),
  };
}

function isOfExtras({ path, line }: BlamedLine, text: string): boolean {
  if (text === '' || line === '') return false;
  const { contexts } = parseFrrConfig(text);
  if (contexts.has(contextKey([...path, line]))) return true;
  const statements = contexts.get(contextKey(path))?.statements.values() ?? [];
  return [...statements].some((statement) => withoutPassword(statement) === line);
}

function peersOf({ path, line }: BlamedLine, bgp: BgpDesiredState): readonly Peer[] {
  const neighbor = neighborOf(line);
  const router = /^router bgp \d+(?: vrf (\S+))?$/.exec(path[0] ?? '');
  if (neighbor === undefined || !router) return [];
  return bgp.routers
    .filter(({ vrf }) => vrf === (router[1] ?? ''))
    .flatMap(({ neighbors }) => neighbors)
    .filter((peer) => neighborName(peer) === neighbor);
}
