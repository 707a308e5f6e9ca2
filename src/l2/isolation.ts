/** What speaks for this node being on the LAN that it is about to answer on. Times are milliseconds of a monotonic clock. */
export interface LanSigns {
  /** When this node began to ask. */
  readonly since: number;
  /** Whether there is anybody who could be heard. */
  readonly hasWitnesses: boolean;
  /** When anybody was last heard; minus infinity: never. */
  readonly heardAt: number;
  /** When a gateway last answered a question of this node; `undefined`: none ever has, so that its silence says nothing. */
  readonly gatewayAt: number | undefined;
  /** Whether the owner to be followed still writes that it lives, as far as can be read. */
  readonly ownerHolds: boolean;
  /** When that owner was found to be lost or silent; 0: it was not. */
  readonly lostAt: number;
}

/**
 * A gateway may take longer to answer than a claim waits: its answer to the question before counts as well, unless it came
 * before the owner was missed. The LAN may have come apart between the two.
 */
const GATEWAY_LATE_MS = 600;

/**
 * Whether this node is among others, so that it may claim what it hears nobody answer for. Who asks in an empty room is
 * more likely to be outside of it than to be the last one left.
 *
 * Where a LAN falls apart into two rooms with speakers in both, the room with the gateway is the one that clients come
 * into: while the owner lives and may be there, those in the other leave the address to it.
 */
export function isAmongOthers(signs: LanSigns): boolean {
  const { since, hasWitnesses, heardAt, gatewayAt, ownerHolds, lostAt } = signs;
  if (!hasWitnesses) return true;
  if (heardAt < since) return false;
  return gatewayAt === undefined || !ownerHolds || gatewayAt >= Math.max(since - GATEWAY_LATE_MS, lostAt);
}

/** Whether a gateway has answered so lately that this node is where clients come in. */
export function isBesideGateway(answeredAt: number | undefined, now: number): boolean {
  return answeredAt !== undefined && now - answeredAt <= GATEWAY_LATE_MS;
}

/** Without a word of another speaker, of the gateway or of the API for this long, a node takes itself to be cut off. */
const ISOLATED_MS = 1_000;

/**
 * Whether this node is cut off from everything, and should answer for nothing.
 * @param signs.latest when a speaker, a gateway or the API was last heard of
 * @param signs.hasOthers whether there are other speakers: a node alone answers as long as it can
 */
export function isCutOff(
  { latest, hasOthers }: { readonly latest: number; readonly hasOthers: boolean },
  now: number,
): boolean {
  return hasOthers && now - latest > ISOLATED_MS;
}
