import { openPacketSocket } from '../../src/rawsock/index.ts';
import { randomFrom } from './random.ts';
import type { SenderOrder } from './sending.ts';

/**
 * Sends frames into a LAN from the network namespace it runs in: as they are given, at a rate, or changed at random.
 * Prints how many it sent.
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
const BATCH = 50;
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
      sendAll(batch);
      sent += batch.length;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Frames that differ from those given in some bytes or their length, or are nothing but noise. */
async function mutate(wanted: Extract<SenderOrder, { kind: 'mutate' }>): Promise<number> {
  const random = randomFrom(wanted.seed);
  for (let sent = 0; sent < wanted.count; sent += BATCH) {
    sendAll(Array.from({ length: BATCH }, (_, index) => mutated(frameAt(sent + index), random)));
    // Others on the machine need a turn too.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return wanted.count;
}

function mutated(frame: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const bytes = Buffer.from(frame);
  const kind = below(4);
  // Ethernet's destination, source and type stay, else hardly any frame would come past the filter.
  if (kind === 0) for (let at = 14; at < bytes.length; at += 1) bytes[at] = below(256);
  else for (let count = below(6); count >= 0; count -= 1) bytes[14 + below(bytes.length - 14)] = below(256);
  if (kind === 2) return bytes.subarray(0, 14 + below(bytes.length - 14));
  if (kind === 3) return Buffer.concat([bytes, Buffer.alloc(below(1_400), below(256))]);
  return bytes;
}

function frameAt(index: number): Uint8Array {
  const frame = frames[index % frames.length];
  if (frame === undefined) throw new Error('there are no frames to send');
  return frame;
}

/** A full queue of the interface is no failure: the LAN is busy. */
function sendAll(batch: readonly Uint8Array[]): void {
  try {
    socket.sendMany(batch);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOBUFS') throw error;
  }
}
