import { setTimeout as delay } from 'node:timers/promises';
import { parseIp, parsePrefix, prefixContains } from '../core/ip.ts';
import { byText } from '../core/order.ts';
import { objectKey } from '../core/problem.ts';
import { livesAt, type OwnershipRecord, type WrittenLayer2, type WrittenSpeaker } from '../l2/index.ts';
import type { Layer2Place, ServiceName } from './layer2-place.ts';
import { UserError } from './user-error.ts';

/** Moves the addresses of a Service to another node: finds them, asks for it, and waits until it is so. */

/** What somebody names on the command line. */
export type MoveTarget =
  | { readonly kind: 'address'; readonly ip: string }
  | { readonly kind: 'service'; readonly service: ServiceName };

export interface MoveReport {
  /** `namespace/name`, sorted: those that share the address move together. */
  readonly services: readonly string[];
  readonly addresses: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly result: 'moved' | 'alreadyThere' | 'notMoved';
  /** From the request until the record names the node; only when it moved. */
  readonly tookMs?: number;
  /** Why it may not have moved; empty when it did. */
  readonly reasons: readonly string[];
}

export interface MoveOptions {
  readonly place: Layer2Place;
  readonly target: MoveTarget;
  readonly to: string;
  readonly timeoutMs: number;
  /** Told once when it has taken `progressMs`. */
  readonly onProgress: (text: string) => void;
  readonly progressMs: number;
  /** Aborting it takes the request back. */
  readonly signal: AbortSignal;
}

/** As many of what is known a message lists. */
const MAX_LISTED = 20;

/** @returns undefined when the text is neither an address nor `namespace/name` */
export function parseMoveTarget(text: string): MoveTarget | undefined {
  const ip = parseIp(text);
  if (ip) return { kind: 'address', ip: ip.text };
  const [, namespace, name] = /^([^/\s]+)\/([^/\s]+)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined
    ? undefined
    : { kind: 'service', service: { namespace, name } };
}

/**
 * @throws {UserError} when nobody has the addresses, or no speaker of that name lives
 * @throws what the place throws, apart from when it fails while this waits; and the reason of the signal
 */
export async function moveAddresses(options: MoveOptions): Promise<MoveReport> {
  const { place, target, to, signal } = options;
  const written = await place.read(signal);
  const records = recordsOf(target, written);
  const [first] = records;
  if (!first) throw new UserError(unknownTarget(target, written));
  const request = { service: first.service, node: to };
  const head = {
    services: records.map(({ service }) => objectKey(service)),
    addresses: [...new Set(records.flatMap(({ ips }) => ips))],
    from: (records.find(({ node }) => node !== to) ?? first).node,
    to,
  };
  if (head.from === to) {
    // Somebody else's wish would move it away.
    const others = written.moves.get(objectKey(first.service));
    if (others !== undefined && others !== to) await place.ask(request);
    return { ...head, result: 'alreadyThere', reasons: [] };
  }
  requireLiving(to, written);
  await place.ask(request);
  const askedAt = performance.now();
  const withdraw = async (): Promise<readonly string[]> => {
    try {
      await place.withdraw(request);
      return [];
    } catch (error) {
      return [`the request could not be taken back, and it may still move: ${messageOf(error)}`];
    }
  };
  const waited = await waitUntilThere({ ...options, records, text: subjectOf(head), from: head.from }).catch(
    async (error: unknown) => {
      for (const line of await withdraw()) options.onProgress(line);
      throw error;
    },
  );
  if (waited.isThere) {
    return { ...head, result: 'moved', tookMs: Math.round(performance.now() - askedAt), reasons: [] };
  }
  const reasons = [
    ...(waited.failure === undefined ? [] : [`the last look failed: ${waited.failure}`]),
    ...(await reasonsNow({ place, records, to, signal })),
    ...(await withdraw()),
  ];
  return { ...head, result: 'notMoved', reasons };
}

/** `192.0.2.200, 2001:db8::200 (default/web)` */
export function subjectOf({
  addresses,
  services,
}: {
  readonly addresses: readonly string[];
  readonly services: readonly string[];
}): string {
  return `${addresses.join(', ')} (${services.join(', ')})`;
}

function recordsOf(target: MoveTarget, { ownerships }: WrittenLayer2): readonly OwnershipRecord[] {
  const all = [...ownerships.values()].sort(byText(({ service }) => objectKey(service)));
  if (target.kind === 'address') return all.filter(({ ips }) => ips.includes(target.ip));
  const named = ownerships.get(objectKey(target.service));
  // Services that share an address have one owner.
  return named ? all.filter(({ ips }) => ips.some((ip) => named.ips.includes(ip))) : [];
}

function unknownTarget(target: MoveTarget, { ownerships }: WrittenLayer2): string {
  const what = target.kind === 'address' ? target.ip : `an address of ${objectKey(target.service)}`;
  if (ownerships.size === 0) return `nobody has ${what}: no node has announced any address on layer 2`;
  const known = [...ownerships.values()]
    .sort(byText(({ service }) => objectKey(service)))
    .map(
      ({ ips, service, node }) =>
        `${subjectOf({ addresses: ips, services: [objectKey(service)] })} on ${node}`,
    );
  return `no node announces ${what} on layer 2; known are: ${listed(known, '; ')}`;
}

function requireLiving(node: string, { speakers }: WrittenLayer2): void {
  const now = Date.now();
  const speaker = speakers.get(node);
  if (speaker && livesAt(speaker, now)) return;
  const living = [...speakers].filter(([, each]) => livesAt(each, now)).map(([name]) => name);
  const others = living.length === 0 ? 'no speaker lives' : `those that live: ${listed(living.sort(), ', ')}`;
  throw new UserError(`${node}: ${speaker ? whyDead(speaker) : 'no speaker of that name'}; ${others}`);
}

function whyDead({ isReleased, renewTime }: WrittenSpeaker): string {
  return isReleased
    ? 'its speaker has ended'
    : `its speaker said last at ${renewTime === '' ? 'no time' : renewTime} that it lives, which is over by the clock of this machine`;
}

async function waitUntilThere(
  options: MoveOptions & {
    readonly records: readonly OwnershipRecord[];
    readonly text: string;
    readonly from: string;
  },
): Promise<{ readonly isThere: boolean; readonly failure?: string }> {
  const { place, to, timeoutMs, progressMs, onProgress, records, text, from, signal } = options;
  const startedAt = performance.now();
  let isSaid = false;
  let failure: string | undefined;
  for (;;) {
    try {
      const owners = await Promise.all(records.map(({ service }) => place.ownerOf(service, signal)));
      failure = undefined;
      // One of several Services may go meanwhile; somebody has the addresses in any case.
      const there = owners.filter((owner) => owner !== undefined);
      if (there.length > 0 && there.every(({ node }) => node === to)) return { isThere: true };
    } catch (error) {
      signal.throwIfAborted();
      failure = messageOf(error); // It may come back within the time that is left.
    }
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= timeoutMs) return { isThere: false, ...(failure === undefined ? {} : { failure }) };
    if (!isSaid && waitedMs >= progressMs) {
      isSaid = true;
      onProgress(`waiting for ${to} to take ${text} over from ${from}`);
    }
    await delay(Math.max(1, Math.min(place.pollMs, timeoutMs - waitedMs)), undefined, { signal }).catch(
      () => {
        signal.throwIfAborted();
      },
    );
  }
}

async function reasonsNow(options: {
  readonly place: Layer2Place;
  readonly records: readonly OwnershipRecord[];
  readonly to: string;
  readonly signal: AbortSignal;
}): Promise<readonly string[]> {
  const { place, records, to, signal } = options;
  try {
    const written = await place.read(signal);
    return reasonsToStay({ written, records, to, nowMs: Date.now() });
  } catch (error) {
    return [`what stands written cannot be read: ${messageOf(error)}`];
  }
}

/**
 * Why addresses may have stayed where they are, from what stands written. What only the speaker knows, such as whether the
 * node is a candidate, is named as what to look at.
 */
export function reasonsToStay(options: {
  readonly written: WrittenLayer2;
  /** Before the request. */
  readonly records: readonly OwnershipRecord[];
  readonly to: string;
  readonly nowMs: number;
}): readonly string[] {
  const { written, records, to, nowMs } = options;
  const now = records.flatMap(({ service }) => written.ownerships.get(objectKey(service)) ?? []);
  const owner = now.find(({ node }) => node !== to);
  if (!owner) return ['nobody has the addresses any more: does the Service still exist?'];
  const target = written.speakers.get(to);
  if (!target || !livesAt(target, nowMs)) {
    return [`${to}: ${target ? whyDead(target) : 'its speaker is gone'}`];
  }
  const ownersSpeaker = written.speakers.get(owner.node);
  if (!ownersSpeaker || !livesAt(ownersSpeaker, nowMs)) {
    return [
      `${owner.node}, which has them: ${ownersSpeaker ? whyDead(ownersSpeaker) : 'its speaker is gone'}; who takes them over is for the others to find out`,
    ];
  }
  if (owner.nextOwner === to) {
    return [
      `${owner.node} has offered them and ${to} has not taken them: look at the log of the speaker of ${to}`,
    ];
  }
  const outside = owner.ips.filter((ip) => !isInSubnet(ip, target));
  return [
    ...(outside.length === 0
      ? []
      : [
          `${outside.join(', ')}: in no subnet of ${to} (${addressesOf(target).join(', ') || 'it has no usable interface'}), so only a default route of it can serve`,
        ]),
    `${to} may not be a candidate: an L2Advertisement must select the node and an interface of it, the node must not be cordoned or excluded from load balancers, and with externalTrafficPolicy: Local a ready endpoint must be on it`,
  ];
}

function isInSubnet(text: string, speaker: WrittenSpeaker): boolean {
  const ip = parseIp(text);
  return addressesOf(speaker).some((address) => {
    const subnet = parsePrefix(address);
    return ip !== undefined && subnet !== undefined && prefixContains(subnet, ip);
  });
}

function addressesOf({ record }: WrittenSpeaker): readonly string[] {
  return record.links.flatMap(({ addresses }) => addresses);
}

function listed(items: readonly string[], separator: string): string {
  const left = items.length - MAX_LISTED;
  const shown = items.slice(0, MAX_LISTED).join(separator);
  return left > 0 ? `${shown}${separator}and ${String(left)} more` : shown;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
