import { encodeArpRequest, encodeNs, type ClaimKind, type Link } from '../../l2/index.ts';
import type { Port } from './port.ts';

/** What is heard of a gateway so long after it was asked counts as its answer. */
const ANSWER_MS = 1_000;
/** How often they are asked while the API server cannot tell that this node is among others, */
const ASK_URGENT_MS = 200;
/** and how often while nothing depends on it: so that their silence means something when something does. */
const ASK_IDLE_MS = 30_000;
/** A question may be lost, as on a port that a switch has only just brought up: the first few are asked sooner, */
const ASK_UNANSWERED_MS = 1_000;
/** and so many of them. */
const UNANSWERED_SOONER = 5;

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
  /** When one answered a question over the interface; `undefined`: none ever has, or there is none. */
  readonly answeredAt: (link: string) => number | undefined;
  /** When any was last heard, whatever it said. */
  readonly heardAt: () => number;
}

/** What is known of the gateways of one interface. */
interface Acquaintance {
  /** Their addresses. */
  readonly text: string;
  askedAt: number;
  answeredAt: number | undefined;
  /** Questions since the last answer. */
  unanswered: number;
}

export function createGateways(
  send: (link: string, frames: (station: Station) => readonly Uint8Array[]) => void,
): Gateways {
  let links: readonly Link[] = [];
  /** By interface. It outlives a cable that is pulled out: the gateways at its end are still those that have answered. */
  const known = new Map<string, Acquaintance>();
  let heardAt = -Infinity;

  const askOver = (link: Link, now: number): void => {
    const about = known.get(link.name);
    if (!about || link.gateways.length === 0) return;
    about.askedAt = now;
    about.unanswered += 1;
    send(link.name, (station) => questionsOf(station, link));
  };
  const everyMs = ({ unanswered }: Acquaintance, isUrgent: boolean): number => {
    if (isUrgent) return ASK_URGENT_MS;
    return unanswered > 0 && unanswered < UNANSWERED_SOONER ? ASK_UNANSWERED_MS : ASK_IDLE_MS;
  };

  return {
    set: (next) => {
      const before = new Set(links.map(({ name }) => name));
      links = next;
      for (const { name, gateways } of next) {
        if (gateways.length === 0) continue;
        const text = textOf(gateways);
        const about = known.get(name);
        if (about?.text !== text) {
          // Another gateway may not answer at all.
          known.set(name, { text, askedAt: -Infinity, answeredAt: undefined, unanswered: 0 });
        } else if (!before.has(name)) {
          about.askedAt = -Infinity;
          about.unanswered = 0;
        }
      }
    },
    ask: (name, now) => {
      for (const link of links) if (link.name === name) askOver(link, now);
    },
    askAgain: (isUrgent, now) => {
      for (const link of links) {
        const about = known.get(link.name);
        if (about && now - about.askedAt >= everyMs(about, isUrgent)) askOver(link, now);
      }
    },
    hear: (name, what, now) => {
      if (what === 'probe') return;
      heardAt = now;
      const about = known.get(name);
      if (!about || now - about.askedAt > ANSWER_MS) return;
      about.answeredAt = now;
      about.unanswered = 0;
    },
    answeredAt: (name) => {
      const hasAny = links.some((link) => link.name === name && link.gateways.length > 0);
      return hasAny ? known.get(name)?.answeredAt : undefined;
    },
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

function textOf(gateways: Link['gateways']): string {
  return gateways.map(({ text }) => text).join(' ');
}
