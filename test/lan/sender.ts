import { openPacketSocket, RawSocketError } from '../../src/rawsock/index.ts';
import { randomFrom } from './random.ts';
import type { SenderOrder } from './sending.ts';

/**
 * Sends frames into a LAN from the network namespace it runs in: as they are given, at a rate, or changed at random.
 * Prints how many the kernel took.
 *
 * Usage: node sender.ts INTERFACE ORDER, the order as JSON.
 */
const [interfaceName = '', text = ''] = process.argv.slice(2);
const order = JSON.parse(text) as SenderOrder; // written by sending.ts
const socket = openPacketSocket({
  ...{ interfaceName, filter: [{ code: 0x06, jt: 0, jf: 0, k: 0 }] },
  onFrames: () => undefined,
  onClosed: (error) => {
    throw error;
  },
});
const frames = order.frames.map((hex) => Buffer.from(hex, 'hex'));
/** As many as go with one system call. */
const BATCH = 64;
/** EtherType of IEEE 802.1Q. */
const VLAN_TAG = 0x8100;
try {
  process.stdout.write(`${order.kind === 'repeat' ? await repeat(order) : await mutate(order)}\n`);
} finally {
  socket.close();
}

/** The frames in turn, at a rate. Timers are coarse, so each tick sends what is due by then. */
async function repeat(wanted: Extract<SenderOrder, { kind: 'repeat' }>): Promise<number> {
  const startMs = performance.now();
  let sent = 0;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs >= wanted.seconds * 1_000) return sent;
    const due = Math.floor((elapsedMs / 1_000) * wanted.perSecond);
    while (sent < due) {
      const batch = Array.from({ length: Math.min(BATCH, due - sent) }, (_, index) => frameAt(sent + index));
      const taken = sendAll(batch);
      sent += taken;
      // What is due stays due, and counts as sent when it was.
      if (taken < batch.length) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Frames that differ from those given in some bytes or their length, or are nothing but noise. */
async function mutate(wanted: Extract<SenderOrder, { kind: 'mutate' }>): Promise<number> {
  const random = randomFrom(wanted.seed);
  let sent = 0;
  while (sent < wanted.count) {
    const length = Math.min(BATCH, wanted.count - sent);
    sent += sendAll(Array.from({ length }, (_, index) => mutated(frameAt(sent + index), random)));
    // Others on the machine need a turn too.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return sent;
}

function mutated(frame: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const bytes = Buffer.from(frame);
  const kind = below(4);
  // Ethernet's destination, source and type stay in most, else hardly any frame would come past the filter.
  if (below(10) === 0) mutateHeader(bytes, below);
  if (kind === 0) for (let at = 14; at < bytes.length; at += 1) bytes[at] = below(256);
  else for (let count = below(6); count >= 0; count -= 1) bytes[14 + below(bytes.length - 14)] = below(256);
  if (kind === 2) return bytes.subarray(0, 14 + below(bytes.length - 14));
  if (kind === 3) return Buffer.concat([bytes, Buffer.alloc(below(1_400), below(256))]);
  return bytes;
}

/**
 * Of another VLAN, or some bytes of Ethernet's header are noise. A group as the sender is not among it on purpose: no
 * bridge passes that on.
 */
function mutateHeader(bytes: Buffer, below: (limit: number) => number): void {
  if (below(2) === 0) bytes.writeUInt16BE(VLAN_TAG, 12);
  else for (let count = below(4); count >= 0; count -= 1) bytes[below(14)] = below(256);
}

function frameAt(index: number): Uint8Array {
  const frame = frames[index % frames.length];
  if (frame === undefined) throw new Error('there are no frames to send');
  return frame;
}

/** A full queue of the interface is no failure: the LAN is busy. @returns how many it took */
function sendAll(batch: readonly Uint8Array[]): number {
  try {
    socket.sendMany(batch);
    return batch.length;
  } catch (error) {
    if (!(error instanceof RawSocketError) || error.code !== 'ENOBUFS') throw error;
    return error.sent;
  }
}
