import { Counter, Gauge, type Registry } from 'prom-client';
import type { IpAddress } from '../../core/ip.ts';
import type { DropReason, Layer2Group, MoveCause } from '../../l2/index.ts';
import type { UnseenReason } from './unseen-frames.ts';

/** Counts what happens on layer 2: MetalLB's names where it has them, else our own `metallb_frr_l2_*`. */
export interface Layer2Metrics {
  readonly request: (ip: IpAddress, isAnswered: boolean) => void;
  /** One round of an announcement. */
  readonly announced: (ip: IpAddress) => void;
  /** @param count one unless given */
  readonly dropped: (link: string, reason: DropReason | UnseenReason, count?: number) => void;
  /** Has `count` called before anything is read: to count what has to be asked for. */
  readonly onScrape: (count: () => void) => void;
  readonly sendFailed: () => void;
  readonly conflict: (who: 'speaker' | 'foreign') => void;
  readonly moved: (cause: MoveCause) => void;
  /** What this node answers for now; the series of what it no longer does end. */
  readonly owned: (groups: readonly Layer2Group[]) => void;
}

export function createLayer2Metrics(registry: Registry): Layer2Metrics {
  const registers = [registry];
  const perIp = (name: string, help: string): Counter<'ip'> =>
    new Counter({ name: `metallb_layer2_${name}`, help, labelNames: ['ip'], registers });
  const requests = perIp(
    'requests_received',
    'ARP requests and Neighbor Solicitations for addresses that this node has.',
  );
  const responses = perIp('responses_sent', 'Answers to them.');
  const gratuitous = perIp(
    'gratuitous_sent',
    'Announcements of addresses that nobody asked for: one for each frame.',
  );
  let count = (): void => undefined;
  const drops = new Counter({
    name: 'metallb_frr_l2_dropped_frames_total',
    help: 'ARP and Neighbor Discovery frames that were not answered, by reason.',
    labelNames: ['interface', 'reason'],
    registers,
    collect: () => {
      count();
    },
  });
  const failures = new Counter({
    name: 'metallb_frr_l2_send_failures_total',
    help: 'Frames that the kernel did not take.',
    registers,
  });
  const conflicts = new Counter({
    name: 'metallb_frr_l2_conflicts_total',
    help: 'Times that another host used an address of this node: a speaker, or a foreign one.',
    labelNames: ['with'],
    registers,
  });
  const moves = new Counter({
    name: 'metallb_frr_l2_moves_total',
    help: 'Addresses that came to this node, by cause.',
    labelNames: ['cause'],
    registers,
  });
  const owned = new Gauge({
    name: 'metallb_frr_l2_owned_addresses',
    help: 'Addresses that this node answers for.',
    registers,
  });
  let ips: ReadonlySet<string> = new Set();
  return {
    request: (ip, isAnswered) => {
      requests.inc({ ip: ip.text });
      if (isAnswered) responses.inc({ ip: ip.text });
    },
    announced: (ip) => {
      gratuitous.inc({ ip: ip.text }, ip.family === 'ipv4' ? 2 : 1);
    },
    dropped: (link, reason, frames = 1) => {
      drops.inc({ interface: link, reason }, frames);
    },
    onScrape: (next) => {
      count = next;
    },
    sendFailed: () => {
      failures.inc();
    },
    conflict: (who) => {
      conflicts.inc({ with: who });
    },
    moved: (cause) => {
      moves.inc({ cause });
    },
    owned: (groups) => {
      const now = new Set(groups.flatMap((group) => group.ips.map(({ text }) => text)));
      for (const ip of ips) {
        if (now.has(ip)) continue;
        for (const counter of [requests, responses, gratuitous]) counter.remove({ ip });
      }
      ips = now;
      owned.set(now.size);
    },
  };
}
