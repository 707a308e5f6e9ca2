import { setTimeout as delay } from 'node:timers/promises';
import { ASK_EVERY_MS, ASK_FELLOW_EVERY_MS } from '../../src/l2/index.ts';
import { requireNode } from '../../src/lab/index.ts';
import { macBytes, macOf, readFrame, startCapture } from '../../test/lan/index.ts';
import { NODES, type Rig } from './rig.ts';

export interface TrafficResult {
  readonly seconds: number;
  readonly addresses: number;
  /** What the busiest of the three nodes sent to the LAN, bytes of frames a second. */
  readonly perNode: {
    readonly bfd: number;
    readonly questions: number;
    readonly announcements: number;
    readonly other: number;
  };
  /**
   * The same for 500 nodes and 1,000 addresses, computed: each node has two neighbours among any number, as among three, so
   * BFD stays; it asks both of them, and who follows one of them before it, and is asked by as many; announcements are
   * repeated each minute, of each address twice in ARP.
   */
  readonly computed: { readonly nodes: number; readonly addresses: number; readonly bytesPerSecond: number };
}

const SECONDS = 30;
/** UDP port of BFD control packets, RFC 5881 section 4. */
const BFD_PORT = 3784;
const LARGE = { nodes: 500, addresses: 1_000, repeatSeconds: 60 } as const;
/** Of an ARP packet on the wire, without the frame check sequence. */
const ARP_BYTES = 60;
/** Two neighbours, and one more. */
const QUESTIONS_A_SECOND = 2 * (1_000 / ASK_EVERY_MS) + 1_000 / ASK_FELLOW_EVERY_MS;

/** Counts what speakers and their FRR send to the LAN while nothing happens and nobody asks. */
export async function measureTraffic(rig: Rig, ips: readonly string[]): Promise<TrafficResult> {
  await rig.settle(ips);
  rig.asker.ask({ ips: [], intervalMs: 1_000 });
  await delay(7_000);
  const macs = new Map<string, { bfd: number; questions: number; announcements: number; other: number }>();
  for (const node of NODES) {
    macs.set(macBytes(await macOf(rig.state, node)).toString('hex'), {
      ...{ bfd: 0, questions: 0, announcements: 0, other: 0 },
    });
  }
  const capture = await startCapture({
    ...{ netns: requireNode(rig.state, 'switch').netns, interfaceName: 'br0', filter: '' },
    onPacket: ({ bytes, wireLength }) => {
      const sums = macs.get(Buffer.from(bytes.subarray(6, 12)).toString('hex'));
      if (sums === undefined) return;
      sums[kindOf(bytes)] += Math.max(wireLength, 60);
    },
  });
  await delay(SECONDS * 1_000);
  await capture.close();
  const perSecond = [...macs.values()].map((sums) => ({
    bfd: Math.round(sums.bfd / SECONDS),
    questions: Math.round(sums.questions / SECONDS),
    announcements: Math.round(sums.announcements / SECONDS),
    other: Math.round(sums.other / SECONDS),
  }));
  const [busiest] = perSecond.sort((a, b) => total(b) - total(a));
  if (busiest === undefined) throw new Error('there are no nodes');
  const questions = 2 * ARP_BYTES * QUESTIONS_A_SECOND;
  const announcements = (LARGE.addresses / LARGE.nodes) * ((2 * ARP_BYTES) / LARGE.repeatSeconds);
  return {
    ...{ seconds: SECONDS, addresses: ips.length, perNode: busiest },
    computed: {
      ...{ nodes: LARGE.nodes, addresses: LARGE.addresses },
      bytesPerSecond: Math.round(busiest.bfd + questions + announcements),
    },
  };
}

function total(sums: TrafficResult['perNode']): number {
  return sums.bfd + sums.questions + sums.announcements + sums.other;
}

function kindOf(bytes: Uint8Array): 'bfd' | 'questions' | 'announcements' | 'other' {
  const frame = readFrame(bytes);
  if (frame) {
    const { message } = frame;
    const isAnnouncement =
      message.kind === 'arp'
        ? message.senderIp === message.targetIp
        : message.kind === 'na' && !message.isSolicited;
    return isAnnouncement ? 'announcements' : 'questions';
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isUdp4 = bytes.length >= 42 && view.getUint16(12) === 0x0800 && bytes[23] === 17;
  const isUdp6 = bytes.length >= 62 && view.getUint16(12) === 0x86dd && bytes[20] === 17;
  const port = isUdp4 ? view.getUint16(36) : isUdp6 ? view.getUint16(56) : 0;
  return port === BFD_PORT ? 'bfd' : 'other';
}
