import type { IpAddress } from '../../core/ip.ts';
import {
  ipOfKey,
  macOfNumber,
  type Decoded,
  type Ipv4Key,
  type MacNumber,
  type Verdict,
} from '../../l2/index.ts';

/** So many hosts are enough to ask: one that answers will do. */
const HOSTS = 8;
/** Who has said nothing for this long may be gone. */
const FORGET_MS = 300_000;
const REFRESH_MS = 10_000;

export interface Host {
  readonly mac: string;
  readonly ip: IpAddress;
}

/** Who else speaks on a LAN: as long as somebody does, this node is on it. */
export interface Company {
  readonly hear: (decoded: Decoded, verdict: Verdict, now: number) => void;
  /** When anybody was last heard, on the monotonic clock. */
  readonly heardAt: () => number;
  /** A few hosts that were heard lately. */
  readonly hosts: (now: number) => readonly Host[];
}

export function createCompany(): Company {
  let heardAt = -Infinity;
  const hosts = new Map<MacNumber, { readonly ip: Ipv4Key; at: number }>();
  return {
    hear: (decoded, verdict, now) => {
      if (decoded.kind === 'drop') return;
      // What this node says itself may come back over another of its interfaces.
      if (
        verdict.kind === 'drop' &&
        (verdict.reason === 'own-frame' || verdict.reason === 'own-hardware-address')
      )
        return;
      heardAt = now;
      // An address of ours is nobody's to be asked at, and a probe has none.
      if (decoded.kind !== 'arp' || decoded.senderIp === 0 || verdict.kind === 'heard') return;
      const known = hosts.get(decoded.senderMac);
      if (known && now - known.at < REFRESH_MS) return;
      hosts.delete(decoded.senderMac);
      hosts.set(decoded.senderMac, { ip: decoded.senderIp, at: now });
      const [oldest] = hosts.keys();
      if (hosts.size > HOSTS && oldest !== undefined) hosts.delete(oldest);
    },
    heardAt: () => heardAt,
    hosts: (now) =>
      [...hosts]
        .filter(([, { at }]) => now - at < FORGET_MS)
        .map(([mac, { ip }]) => ({ mac: macOfNumber(mac), ip: ipOfKey(ip) })),
  };
}
