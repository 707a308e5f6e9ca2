/**
 * Asks for addresses from the other end of the link, and tells on standard output, as JSON, how long answers took in
 * microseconds, or how many came. The times have this process's own way through the kernel and Node in them.
 */
import { parseIp, type IpAddress } from '../../src/core/ip.ts';
import { encodeArpRequest, encodeNs, parseMac } from '../../src/l2/index.ts';
import { openPacketSocket } from '../../src/rawsock/index.ts';

/** What is asked of the program, as JSON in its only argument. */
export interface ClientOrder {
  readonly interfaceName: string;
  readonly mac: string;
  readonly ip: string;
  /** Times: one request after the other, the targets in turn, so that whatever disturbs the machine disturbs all. */
  readonly latency?: {
    readonly targets: readonly string[];
    readonly trials: number;
    readonly pauseMs: number;
  };
  /** As many requests as are answered, with at most 512 on their way. */
  readonly flood?: { readonly target: string; readonly seconds: number };
}

export interface ClientReport {
  /** In the order of the targets. */
  readonly microseconds: readonly (readonly number[])[];
  /** Of requests that were not answered within a second. */
  readonly lost: number;
  readonly replies: number;
  readonly seconds: number;
}

const order = JSON.parse(process.argv[2] ?? '') as ClientOrder;
const mac = required(parseMac(order.mac), order.mac);
/** More than that the receive buffer of the other end may not hold. */
const ON_THEIR_WAY = 512;
const GIVE_UP_AFTER_MS = 1_000;

/** Replies and advertisements only: what others ask must not wake this process (as `tcpdump -d` has such programs). */
const REPLIES = {
  ipv4: [
    { code: 0x28, jt: 0, jf: 0, k: 20 },
    { code: 0x15, jt: 0, jf: 1, k: 2 },
    { code: 0x06, jt: 0, jf: 0, k: 0x40000 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ],
  ipv6: [
    { code: 0x30, jt: 0, jf: 0, k: 54 },
    { code: 0x15, jt: 0, jf: 1, k: 136 },
    { code: 0x06, jt: 0, jf: 0, k: 0x40000 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ],
} as const;

let onReplies: (count: number) => void = () => undefined;
const { family } = addressOf(order.ip);
const socket = openPacketSocket({
  interfaceName: order.interfaceName,
  filter: family === 'ipv4' ? 'arp' : 'nd',
  onFrames: (frames) => {
    onReplies(frames.length);
  },
  onClosed: (error) => {
    throw error;
  },
});
socket.setFilter(REPLIES[family]);
try {
  const { latency, flood } = order;
  const measured = latency === undefined ? { microseconds: [], lost: 0 } : await measureLatency(latency);
  const counted = flood === undefined ? { replies: 0, seconds: 0 } : await countReplies(flood);
  const report: ClientReport = { ...measured, ...counted };
  process.stdout.write(`${JSON.stringify(report)}\n`);
} finally {
  socket.close();
}

async function measureLatency({
  targets,
  trials,
  pauseMs,
}: NonNullable<ClientOrder['latency']>): Promise<Pick<ClientReport, 'microseconds' | 'lost'>> {
  const microseconds = targets.map((): number[] => []);
  const requests = targets.map(requestFor);
  // The first ones run code that is not compiled yet.
  for (let trial = -2_000; trial < trials; trial += 1) {
    for (const [index, request] of requests.entries()) {
      const duration = await timeOf(request);
      if (trial >= 0 && duration !== undefined) microseconds[index]?.push(duration);
      if (pauseMs > 0 && trial >= 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  const lost = microseconds.reduce((sum, list) => sum + trials - list.length, 0);
  return { microseconds, lost };
}

/** From before the request is handed to the kernel until its answer is in this process. */
function timeOf(request: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(resolve, GIVE_UP_AFTER_MS, undefined);
    onReplies = () => {
      const duration = (performance.now() - started) * 1_000;
      clearTimeout(giveUp);
      onReplies = () => undefined;
      resolve(duration);
    };
    const started = performance.now();
    socket.send(request);
  });
}

async function countReplies({
  target,
  seconds,
}: NonNullable<ClientOrder['flood']>): Promise<Pick<ClientReport, 'replies' | 'seconds'>> {
  const requests = Array.from({ length: 64 }, () => requestFor(target));
  let onTheirWay = 0;
  let replies = 0;
  const fill = (): void => {
    while (onTheirWay + requests.length <= ON_THEIR_WAY) {
      socket.sendMany(requests);
      onTheirWay += requests.length;
    }
  };
  onReplies = (count) => {
    replies += count;
    onTheirWay = Math.max(0, onTheirWay - count);
    fill();
  };
  const started = performance.now();
  // Should answers get lost, nobody would ask any more.
  const again = setInterval(() => {
    onTheirWay = 0;
    fill();
  }, GIVE_UP_AFTER_MS);
  fill();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const took = (performance.now() - started) / 1_000;
  clearInterval(again);
  onReplies = () => undefined;
  return { replies, seconds: took };
}

function requestFor(target: string): Uint8Array {
  const [targetIp, senderIp] = [addressOf(target), addressOf(order.ip)];
  return family === 'ipv4'
    ? encodeArpRequest({ senderMac: mac, senderIp, targetIp })
    : encodeNs({ sourceMac: mac, sourceIp: senderIp, target: targetIp });
}

function addressOf(text: string): IpAddress {
  return required(parseIp(text), text);
}

function required<T>(value: T | undefined, text: string): T {
  if (value === undefined) throw new Error(`not what it must be: ${text}`);
  return value;
}
