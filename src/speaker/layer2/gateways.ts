import { encodeArpRequest, encodeNs, type ClaimKind, type Link } from '../../l2/index.ts';
import type { Port } from './port.ts';

/** What is heard of a gateway so long after it was asked counts as its answer. */
const ANSWER_MS = 1_000;
/** How often they are asked while the API server cannot tell that this node is among others, */
const ASK_URGENT_MS = 200;
/** and how often while nothing depends on it: so that their silence means something when something does. */
const ASK_IDLE_MS = 30_000;

/** What a question is asked in the name of. */
type Station = Pick<Port, 'mac' | 'linkLocal'>;

/** Whether the gateways of this node's interfaces are there. Times are milliseconds of a monotonic clock. */
export interface Gateways {
  readonly set: (links: readonly Link[]) => void;
  /** Asks those of one interface. */
  readonly ask: (link: string, now: number) => void;
  /** Asks those that have not been asked for some time. */
  readonly askAgain: (isUrgent: boolean, now: number) => void;
  /** Somebody spoke of the address of one: as its own, or only to ask whether it is there, as other speakers do. */
  readonly hear: (link: string, what: ClaimKind, now: number) => void;
  /** When one answered a question over the interface; `undefined`: none ever has. */
  readonly answeredAt: (link: string) => number | undefined;
  /** When any was last heard, whatever it said. */
  readonly heardAt: () => number;
}

export function createGateways(
  send: (link: string, frames: (station: Station) => readonly Uint8Array[]) => void,
): Gateways {
  let links: readonly Link[] = [];
  const askedAt = new Map<string, number>();
  const answeredAt = new Map<string, number>();
  let heardAt = -Infinity;

  const askOver = (link: Link, now: number): void => {
    if (link.gateways.length === 0) return;
    askedAt.set(link.name, now);
    send(link.name, (station) => questionsOf(station, link));
  };
  return {
    set: (next) => {
      for (const { name, gateways } of links) {
        const after = next.find((link) => link.name === name);
        // Another gateway may not answer at all.
        if (textsOf(after) !== textsOf({ gateways })) answeredAt.delete(name);
      }
      links = next;
    },
    ask: (name, now) => {
      for (const link of links) if (link.name === name) askOver(link, now);
    },
    askAgain: (isUrgent, now) => {
      const everyMs = isUrgent ? ASK_URGENT_MS : ASK_IDLE_MS;
      for (const link of links) {
        if (now - (askedAt.get(link.name) ?? -Infinity) >= everyMs) askOver(link, now);
      }
    },
    hear: (name, what, now) => {
      if (what === 'probe') return;
      heardAt = now;
      if (now - (askedAt.get(name) ?? -Infinity) <= ANSWER_MS) answeredAt.set(name, now);
    },
    answeredAt: (name) => answeredAt.get(name),
    heardAt: () => heardAt,
  };
}

/** With this node's own addresses: some routers answer nobody who does not say who asks. */
function questionsOf(station: Station, { addresses, gateways }: Link): Uint8Array[] {
  const ipv4 = addresses.find(({ ip }) => ip.family === 'ipv4')?.ip;
  return gateways.flatMap((gateway) => {
    if (gateway.family === 'ipv4') {
      return ipv4 ? [encodeArpRequest({ senderMac: station.mac, senderIp: ipv4, targetIp: gateway })] : [];
    }
    return station.linkLocal
      ? [encodeNs({ sourceMac: station.mac, sourceIp: station.linkLocal, target: gateway })]
      : [];
  });
}

function textsOf(link: Pick<Link, 'gateways'> | undefined): string {
  return link?.gateways.map(({ text }) => text).join(' ') ?? '';
}
