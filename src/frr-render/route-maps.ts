import { compareText } from '../core/order.ts';
import { neighborFilterId, type PeerTreatment, type Treatment } from '../reconciler/index.ts';
import type { Peer } from '../config/index.ts';
import type { TreatmentClass } from './treatment-class.ts';

/** One entry of a route-map. */
export interface RouteMapEntry {
  readonly name: string;
  readonly action: 'permit' | 'deny';
  readonly sequence: number;
  readonly statements: readonly string[];
}

/** Users' extras open or narrow a neighbor's filters with entries of their own below this sequence number. */
const FIRST_OUT_SEQUENCE = 1000;
const OUT_SEQUENCES = 64_000;
const LAST_SEQUENCE = 65_535;

/** Each class: one entry that sets its tag. */
export function classRouteMaps(classes: Iterable<TreatmentClass>): RouteMapEntry[] {
  return [...classes]
    .sort((a, b) => compareText(a.name, b.name))
    .map(({ name, tag }) => ({ name, action: 'permit', sequence: 10, statements: [`set tag ${tag}`] }));
}

/**
 * The filters of one neighbor: nothing is accepted (`<id>-in deny 20`, a name and number that users' extras rely on),
 * and what is sent is exactly the classes that name this neighbor.
 *
 * @param treatments those of the router's prefixes
 */
export function neighborRouteMaps(
  treatments: readonly Treatment[],
  peer: Peer,
  classes: ReadonlyMap<string, TreatmentClass>,
): RouteMapEntry[] {
  const id = neighborFilterId(peer);
  const sent = classesFor(treatments, peer, classes);
  const sequences = outSequences(sent.map(({ tag }) => tag));
  const permits = sent.map(({ tag, attributes }): RouteMapEntry => ({
    name: `${id}-out`,
    action: 'permit',
    sequence: sequences.get(tag) ?? LAST_SEQUENCE,
    statements: [`match tag ${tag}`, ...attributeStatements(attributes)],
  }));
  return [
    { name: `${id}-in`, action: 'deny', sequence: 20, statements: [] },
    ...permits.sort((a, b) => a.sequence - b.sequence),
    { name: `${id}-out`, action: 'deny', sequence: LAST_SEQUENCE, statements: [] },
  ];
}

function classesFor(
  treatments: readonly Treatment[],
  peer: Peer,
  classes: ReadonlyMap<string, TreatmentClass>,
): { tag: number; attributes: PeerTreatment }[] {
  const sent: { tag: number; attributes: PeerTreatment }[] = [];
  for (const { key } of treatments) {
    const found = classes.get(key);
    const attributes = found?.treatment.peers.find((candidate) => candidate.peer === peer.name);
    if (found && attributes) sent.push({ tag: found.tag, attributes });
  }
  return sent.sort((a, b) => a.tag - b.tag);
}

/** From the tag, so that a class keeps its number while others come and go; the next free one where two meet. */
function outSequences(tags: readonly number[]): ReadonlyMap<number, number> {
  const taken = new Set<number>();
  const sequences = new Map<number, number>();
  for (const tag of tags) {
    let slot = tag % OUT_SEQUENCES;
    while (taken.has(slot)) slot = (slot + 1) % OUT_SEQUENCES;
    taken.add(slot);
    sequences.set(tag, FIRST_OUT_SEQUENCE + slot);
  }
  return sequences;
}

function attributeStatements(attributes: PeerTreatment): string[] {
  const standard: string[] = [];
  const large: string[] = [];
  for (const community of attributes.communities) {
    if (community.kind === 'standard') standard.push(community.text);
    else large.push(`${community.global}:${community.local1}:${community.local2}`);
  }
  return [
    ...(standard.length > 0 ? [`set community ${standard.join(' ')} additive`] : []),
    ...(large.length > 0 ? [`set large-community ${large.join(' ')} additive`] : []),
    ...(attributes.localPref === undefined ? [] : [`set local-preference ${attributes.localPref}`]),
  ];
}
