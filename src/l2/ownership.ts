import { standsBefore } from './election.ts';
import type { MoveCause } from './types.ts';

/** Milliseconds; each with the reason for its size. */
export const OWNERSHIP_TIMES = {
  /** Two probes and the time for an answer to them. Hosts on a LAN answer within a millisecond or two. */
  probeMs: 50,
  /** The same for who slept: the answers come behind all that piled up meanwhile, and everything else on the node wakes too. */
  doubtMs: 250,
  /** How much later than the first the second runner-up tries: time for the first to be heard. */
  succeedMs: 350,
  /** The same where nobody is known to be lost, and nothing is in a hurry. */
  fallbackMs: 1_000,
  /** After somebody answered a probe: when to look again. */
  retreatMs: 500,
  /** After an address was left to another: until that must be written down. */
  yieldMs: 1_000,
  /** How long an owner waits for the next one to announce itself. */
  handOverMs: 2_000,
  /** After a hand-over that was not taken up: when to try again. */
  handOverAgainMs: 30_000,
  /** How soon an owner may say again that it has what another has written down. */
  insistAgainMs: 10_000,
  /** RFC 5227 section 2.4, DEFEND_INTERVAL. */
  defendMs: 10_000,
} as const;

/** What this node is to a group's addresses just now. */
export type GroupState =
  /** Another has them, or nobody may. */
  | { readonly kind: 'idle' }
  /** Its turn has not come, or it has just left them to another. */
  | { readonly kind: 'waiting'; readonly until: number }
  /** It asks whether somebody has them. */
  | { readonly kind: 'probing'; readonly since: number; readonly until: number; readonly claim: Claim }
  /** It answers for them. */
  | Owned
  /** It cannot answer any more, and says who should. */
  | { readonly kind: 'released'; readonly to: string; readonly until: number; readonly owned: Owned };

/** What will be written down of an ownership. */
export interface Claim {
  readonly cause: MoveCause;
  /** The node that had them before. */
  readonly from?: string;
  /** Set when this node had them already: since when. */
  readonly since?: string;
}

export interface Owned {
  readonly kind: 'owned';
  readonly claim: Claim;
  readonly since: string;
  /** On the monotonic clock. */
  readonly claimedAt: number;
  /** The record that this ownership took the place of: for as long as it is read, the own one has not been. */
  readonly superseded: RecordSeen | undefined;
  readonly handOver?: HandOver;
  /** When another's claim was last answered by an announcement. */
  readonly defendedAt?: number;
  /** When another's record was last answered by one of its own. */
  readonly insistedAt?: number;
}

export interface HandOver {
  readonly to: string;
  readonly cause: MoveCause;
  readonly until: number;
  /** Not taken up: no other is begun before this. */
  readonly failedUntil?: number;
}

/** Of an OwnershipRecord, what decisions need. */
export interface RecordSeen {
  readonly node: string;
  readonly since: string;
  readonly cause: MoveCause;
  readonly nextOwner?: string;
  /** Those that the owner answers on; absent: not told. */
  readonly interfaces?: readonly string[];
}

/** What is known here of the node that the record names. */
export type OwnerHealth =
  /** Nothing speaks against it. */
  | 'well'
  /** BFD says that it is away. */
  | 'lost'
  /** It does not answer for its addresses. */
  | 'silent'
  /** It has written down that it answers nowhere any more. */
  | 'released'
  /** It is no speaker any more, or no candidate. */
  | 'gone';

/** What this node can do for a group. */
export type Standing =
  | 'able'
  /** It drains or stops: it serves for as long as nobody takes over. */
  | 'leaving'
  /** The configuration chooses other nodes: it serves until one of them takes over, and not at all when there is none. */
  | 'excluded'
  /** It cannot be reached: no interface that is up, or cut off from everything. */
  | 'unable';

/** All that the decision about one group depends on, beside its state. */
export interface GroupFacts {
  /** This node. */
  readonly me: string;
  /** The group's key. */
  readonly key: string;
  readonly standing: Standing;
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
  /** RFC 3339, for the record. */
  readonly time: string;
  readonly record: RecordSeen | undefined;
  readonly ownerHealth: OwnerHealth;
  /** The nodes that may have the addresses after the recorded owner, in order; without one: in the order of choice. */
  readonly successors: readonly string[];
  /**
   * Whether anybody was heard on the LAN since this node began to ask; true as well when there is nobody to be heard. Who
   * asks in an empty room is more likely to be outside of it than to be the last one left.
   */
  readonly hasCompany: boolean;
  /**
   * The node that the record names cannot be seen from here, and the gateway, which clients come through, has just answered:
   * where the LAN has come apart, that node is in the part without clients.
   */
  readonly isWithClients?: boolean;
  /**
   * The speakers are only just coming up: what nobody has is left for a moment, or the first to be there would take
   * everything and keep it.
   */
  readonly isGathering?: boolean;
  /** A node that should have them instead of this one, and why. It is alive. */
  readonly wanted?: { readonly node: string; readonly cause: MoveCause };
}

/**
 * What a group's state becomes, from what is so now. Called whenever something that it depends on has changed, and when
 * {@link dueAt} has come; the same facts again change nothing.
 */
export function nextState(state: GroupState, facts: GroupFacts): GroupState {
  switch (state.kind) {
    case 'owned':
      return stillOwned(state, facts);
    case 'released': {
      const isTaken = facts.record !== undefined && facts.record.node !== facts.me;
      if (facts.standing === 'able' && !isTaken)
        return probing(facts, { ...state.owned.claim, since: state.owned.since });
      return isTaken || facts.now >= state.until ? { kind: 'idle' } : state;
    }
    case 'probing':
      if (facts.standing !== 'able' || isOffered(facts)) return notOwned(facts);
      if (isAnothers(facts) && state.claim.from !== facts.record.node) return { kind: 'idle' };
      if (facts.now < state.until) return state;
      return facts.hasCompany
        ? ownedBy(facts, state.claim)
        : { kind: 'waiting', until: facts.now + OWNERSHIP_TIMES.retreatMs };
    case 'waiting':
      if (facts.standing !== 'able' || isAnothers(facts) || isOffered(facts)) return notOwned(facts);
      return facts.now >= state.until ? notOwned(facts, { hasWaited: true }) : state;
    case 'idle':
      return notOwned(facts);
  }
}

/** Whether another node has the addresses, is well, and does not offer them to this one. */
function isAnothers(facts: GroupFacts): facts is GroupFacts & { readonly record: RecordSeen } {
  const { record, me, ownerHealth } = facts;
  return record !== undefined && record.node !== me && record.nextOwner !== me && ownerHealth === 'well';
}

/** Whether the owner wants this node to take over. */
function isOffered(facts: GroupFacts): facts is GroupFacts & { readonly record: RecordSeen } {
  const { record, me, ownerHealth } = facts;
  return record !== undefined && record.node !== me && record.nextOwner === me && ownerHealth !== 'gone';
}

/** When the state has to be looked at again although nothing has happened; `undefined`: only when something does. */
export function dueAt(state: GroupState): number | undefined {
  switch (state.kind) {
    case 'idle':
      return undefined;
    case 'owned':
      return state.handOver?.failedUntil ?? state.handOver?.until;
    case 'waiting':
    case 'probing':
    case 'released':
      return state.until;
  }
}

function notOwned(facts: GroupFacts, options: { readonly hasWaited?: boolean } = {}): GroupState {
  const { record, me, now } = facts;
  if (facts.standing !== 'able') return { kind: 'idle' };
  const rank = facts.successors.indexOf(me);
  // It was this node's before it was started anew, or while it slept.
  if (record?.node === me) return probing(facts, { cause: record.cause, since: record.since });
  if (isOffered(facts)) {
    // The owner goes on answering until it hears us: there is nothing to ask for.
    return ownedBy(facts, { cause: handOverCause(facts), from: facts.record.node });
  }
  if (rank < 0 || isAnothers(facts)) return { kind: 'idle' };
  const claim = claimOf(facts);
  if (facts.isGathering && claim.cause === 'FirstClaim') return { kind: 'idle' };
  const patience = claim.cause === 'FirstClaim' ? OWNERSHIP_TIMES.fallbackMs : OWNERSHIP_TIMES.succeedMs;
  if (rank === 0 || options.hasWaited) return probing(facts, claim);
  return { kind: 'waiting', until: now + rank * patience };
}

function handOverCause({ wanted, me }: GroupFacts): MoveCause {
  return wanted?.node === me ? wanted.cause : 'HandOver';
}

function claimOf({ record, ownerHealth }: GroupFacts): Claim {
  if (!record) return { cause: 'FirstClaim' };
  return { cause: CAUSES[ownerHealth], from: record.node };
}

/** Why an address came from an owner of that health. */
const CAUSES: Readonly<Record<OwnerHealth, MoveCause>> = {
  ...{ well: 'OwnerGone', released: 'OwnerGone', gone: 'OwnerGone' },
  ...{ lost: 'OwnerLost', silent: 'SpeakerLost' },
};

function probing({ now }: GroupFacts, claim: Claim, forMs: number = OWNERSHIP_TIMES.probeMs): GroupState {
  return { kind: 'probing', since: now, until: now + forMs, claim };
}

function ownedBy(facts: GroupFacts, claim: Claim): Owned {
  const { record, me, time, now } = facts;
  return {
    kind: 'owned',
    claim,
    // Later than the record it replaces, whatever the clocks of two nodes say.
    since: claim.since ?? laterOf(time, record?.since),
    claimedAt: now,
    superseded: record?.node === me ? undefined : record,
  };
}

function laterOf(time: string, before: string | undefined): string {
  if (before === undefined || time > before) return time;
  const millis = Date.parse(before);
  return Number.isNaN(millis) ? time : new Date(millis + 1).toISOString();
}

function stillOwned(state: Owned, facts: GroupFacts): GroupState {
  const { record, me, now, standing, wanted, successors } = facts;
  if (record && record.node !== me && !isSameRecord(record, state.superseded)) return insisting(state, facts);
  if (standing === 'unable') return released(state, facts);
  const { handOver } = state;
  const isGoing = standing !== 'able';
  if (handOver && handOver.failedUntil === undefined && now < handOver.until) {
    return isGoing || wanted?.node === handOver.to ? state : kept(state);
  }
  if (isGoing) {
    const others = successors.filter((node) => node !== me);
    // Who has not taken it up is asked again when everybody has been.
    const to = others[(others.indexOf(handOver?.to ?? '') + 1) % others.length];
    if (to !== undefined) return handingOver(state, to, { cause: 'HandOver', now });
    return standing === 'leaving' ? kept(state) : { kind: 'idle' };
  }
  if (handOver && handOver.failedUntil === undefined) {
    // Not taken up: it stays here, and is offered again later.
    return { ...state, handOver: { ...handOver, failedUntil: now + OWNERSHIP_TIMES.handOverAgainMs } };
  }
  if (handOver?.failedUntil !== undefined && now < handOver.failedUntil && wanted?.node === handOver.to)
    return state;
  return wanted && wanted.node !== me
    ? handingOver(state, wanted.node, { cause: wanted.cause, now })
    : kept(state);
}

/**
 * While nothing could be read, another has taken the addresses. It gives them up when it reads a record that is newer than
 * its own. Where both see a gateway, both would insist: the one that has done so already gives in.
 */
function insisting(state: Owned, { record, now, time, standing, isWithClients }: GroupFacts): GroupState {
  const { handOver, insistedAt = -Infinity } = state;
  const isAgain = now - insistedAt < OWNERSHIP_TIMES.insistAgainMs;
  const isOffered = handOver !== undefined && handOver.to === record?.node;
  if (isWithClients !== true || standing !== 'able' || isAgain || isOffered) return { kind: 'idle' };
  return { ...state, since: laterOf(time, record?.since), superseded: record, insistedAt: now };
}

/** Without a hand-over; the same object when there was none. */
function kept(state: Owned): Owned {
  if (!state.handOver) return state;
  const { handOver: _over, ...rest } = state;
  return rest;
}

function handingOver(
  state: Owned,
  to: string,
  { cause, now }: { readonly cause: MoveCause; readonly now: number },
): Owned {
  return { ...state, handOver: { to, cause, until: now + OWNERSHIP_TIMES.handOverMs } };
}

function released(state: Owned, { successors, me, now }: GroupFacts): GroupState {
  const offered = state.handOver?.failedUntil === undefined ? state.handOver?.to : undefined;
  const next = offered ?? successors.find((node) => node !== me);
  if (next === undefined) return { kind: 'idle' };
  return { kind: 'released', to: next, until: now + OWNERSHIP_TIMES.handOverMs, owned: kept(state) };
}

/** Whether both tell of the same ownership, whatever else has changed about it since. */
export function isSameRecord(a: RecordSeen | undefined, b: RecordSeen | undefined): boolean {
  return a?.node === b?.node && a?.since === b?.since;
}

/** Somebody else on the LAN speaks as if an address of the group were its own, or asks whether it is free. */
export interface Heard {
  readonly what: 'claim' | 'probe';
  /** The speaker whose hardware address it was; `undefined`: a stranger's. */
  readonly node: string | undefined;
}

/** What hearing another leads to beside the state. */
export type HeardEffect =
  | 'none'
  /** Say again whose address it is. */
  | 'announce'
  /** Two speakers had it, and this one keeps it: announce. */
  | 'conflict-kept'
  /** Two speakers had it, and this one has let go. */
  | 'conflict-yielded'
  /** A host that is no speaker uses the address: announced once per {@link OWNERSHIP_TIMES.defendMs}. */
  | 'foreign';

export function afterHearing(
  state: GroupState,
  heard: Heard,
  facts: Pick<GroupFacts, 'me' | 'key' | 'now'>,
): { readonly state: GroupState; readonly effect: HeardEffect } {
  const { me, key, now } = facts;
  const same = { state, effect: 'none' } as const;
  if (heard.node === me) return same;
  const isAhead = heard.node === undefined || standsBefore(heard.node, me, key);
  const retreat: GroupState = { kind: 'waiting', until: now + OWNERSHIP_TIMES.retreatMs };
  switch (state.kind) {
    case 'idle':
      return same;
    case 'waiting':
      return heard.what === 'claim' && state.until < retreat.until
        ? { state: retreat, effect: 'none' }
        : same;
    case 'probing':
      // Two ask at the same time (RFC 5227 section 2.1.1): the one ahead goes on.
      if (heard.what === 'probe' && !isAhead) return same;
      return { state: retreat, effect: heard.node === undefined ? 'foreign' : 'none' };
    case 'released':
      return heard.what === 'claim' ? { state: { kind: 'idle' }, effect: 'none' } : same;
    case 'owned':
      return heard.what === 'claim' ? ownerHears(state, heard.node, { isAhead, now }) : same;
  }
}

function ownerHears(
  state: Owned,
  node: string | undefined,
  { isAhead, now }: { readonly isAhead: boolean; readonly now: number },
): { readonly state: GroupState; readonly effect: HeardEffect } {
  if (node === undefined) {
    const isSoon = state.defendedAt !== undefined && now - state.defendedAt < OWNERSHIP_TIMES.defendMs;
    return isSoon ? { state, effect: 'none' } : { state: { ...state, defendedAt: now }, effect: 'foreign' };
  }
  if (state.handOver?.to === node) return { state: { kind: 'idle' }, effect: 'none' };
  // The former owner answers until it has heard of the new one.
  const isHandedOver = state.claim.from === node && now - state.claimedAt < OWNERSHIP_TIMES.handOverMs;
  if (isHandedOver && HANDED_OVER.has(state.claim.cause)) return { state, effect: 'announce' };
  if (!isAhead) return { state, effect: 'conflict-kept' };
  return { state: { kind: 'waiting', until: now + OWNERSHIP_TIMES.yieldMs }, effect: 'conflict-yielded' };
}

const HANDED_OVER: ReadonlySet<MoveCause> = new Set<MoveCause>([
  'HandOver',
  'Requested',
  'Preferred',
  'Failback',
]);

/**
 * The state after this node may have slept: what it owned may be another's by now, and is asked for before it is answered;
 * what it asked meanwhile it has not heard the answers to, and asks anew.
 */
export function doubted(state: GroupState, facts: GroupFacts): GroupState {
  const { doubtMs } = OWNERSHIP_TIMES;
  if (state.kind === 'owned') return probing(facts, { ...state.claim, since: state.since }, doubtMs);
  return state.kind === 'probing' ? probing(facts, state.claim, doubtMs) : state;
}
