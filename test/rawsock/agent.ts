/**
 * A process inside a network namespace with the sockets of src/rawsock. It takes one command a line as JSON on standard
 * input, `[number, name, ...arguments]`, and answers `[number, result]` or `[number, undefined, { code, message, sent }]`.
 * Bytes are hex texts.
 */
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Registry } from 'prom-client';
import { parseIp, type IpAddress } from '../../src/core/ip.ts';
import {
  openIcmp6Socket,
  openPacketSocket,
  type BpfInstruction,
  type Icmp6Socket,
  type PacketSocket,
  type RawSocketError,
} from '../../src/rawsock/index.ts';
import { createLayer2Metrics } from '../../src/speaker/layer2/index.ts';
import { createPorts, type Ports } from '../../src/speaker/layer2/ports.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { randomFrames } from './random-frames.ts';

let packet: PacketSocket | undefined;
let icmp6: Icmp6Socket | undefined;
let ports: Ports | undefined;
const registry = new Registry();
let seen = nothingSeen();

function nothingSeen() {
  return {
    frames: [] as string[],
    batches: [] as number[],
    closed: [] as { readonly code: string; readonly message: string }[],
    count: 0,
    hash: createHash('sha256'),
    closeAfter: Infinity,
    /** Otherwise frames are counted and hashed only. */
    isKeeping: true,
  };
}

function onFrames(batch: readonly Uint8Array[]): void {
  seen.batches.push(batch.length);
  for (const frame of batch) {
    seen.count += 1;
    if (seen.isKeeping) seen.frames.push(Buffer.from(frame).toString('hex'));
    else seen.hash.update(frame);
  }
  if (seen.count >= seen.closeAfter) packet?.close();
}

function onClosed({ code, message }: RawSocketError): void {
  seen.closed.push({ code, message });
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const address = (text: string): IpAddress => parseIp(text)!;

const COMMANDS = {
  open: (options: {
    readonly interfaceName?: string;
    readonly interfaceIndex?: number;
    readonly filter: 'arp' | 'nd' | readonly BpfInstruction[];
    readonly receiveBufferBytes?: number;
  }): void => {
    packet?.close();
    seen = nothingSeen();
    packet = openPacketSocket({ ...options, onFrames, onClosed });
  },
  send: (hex: string): void => {
    packet!.send(bytes(hex));
  },
  sendMany: (list: readonly string[]): void => {
    packet!.sendMany(list.map(bytes));
  },
  sendRandom: (options: Parameters<typeof randomFrames>[0]): void => {
    packet!.sendMany(randomFrames(options));
  },
  setFilter: (program: readonly BpfInstruction[]): void => {
    packet!.setFilter(program);
  },
  join: (mac: string): void => {
    packet!.join(bytes(mac));
  },
  leave: (mac: string): void => {
    packet!.leave(bytes(mac));
  },
  stats: () => packet!.stats(),
  close: (): void => {
    packet!.close();
  },
  isOpen: () => packet!.isOpen,
  closeAfter: (wanted: number): void => {
    seen.closeAfter = wanted;
  },
  countOnly: (): void => {
    seen.isKeeping = false;
  },
  /** What came since `open`. */
  received: () => {
    const { frames, batches, closed, count, hash } = seen;
    return { frames, batches, closed, count, hash: hash.copy().digest('hex') };
  },
  /** Keeps the event loop busy, so that frames have to wait. */
  block: (ms: number): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },
  openIcmp6: (interfaceName: string): void => {
    icmp6 = openIcmp6Socket({ interfaceName });
  },
  joinGroup: (group: string): void => {
    icmp6!.join(address(group));
  },
  leaveGroup: (group: string): void => {
    icmp6!.leave(address(group));
  },
  sendIcmp6: (destination: string, hex: string) => icmp6!.send(address(destination), bytes(hex)),
  /** One that waits, and one after the close: both have to be answered. */
  sendAndCloseIcmp6: async (destination: string, hex: string) => {
    const sends = [icmp6!.send(address(destination), bytes(hex))];
    icmp6!.close();
    sends.push(icmp6!.send(address(destination), bytes(hex)));
    const results = await Promise.allSettled(sends);
    return results.map((each) =>
      each.status === 'fulfilled' ? 'sent' : (each.reason as RawSocketError).code,
    );
  },
  closeIcmp6: (): void => {
    icmp6!.close();
    icmp6!.close();
  },
  /** The sockets of these interfaces as the speaker has them, without any address to answer for. */
  usePorts: (
    links: readonly {
      readonly name: string;
      readonly index: number;
      readonly mac: string;
      readonly ip: string;
    }[],
  ): void => {
    ports ??= createPorts({
      logger: createLogger({ component: 'speaker', level: 'none' }),
      metrics: createLayer2Metrics(registry),
      onFrames: () => undefined,
      onHeard: () => undefined,
      onReopened: () => undefined,
    });
    ports.set(
      links.map(({ ip, ...link }) => ({
        ...link,
        ...{ isUp: true, isBroadcast: true, hasArp: true, hasMaster: false },
        addresses: [{ ip: address(ip), length: 64 }],
        ...{ defaultRoutes: [], gateways: [] },
      })),
    );
  },
  hasPort: (name: string) => ports?.companyOn(name) !== undefined,
  /** As text. */
  metrics: () => registry.metrics(),
} as const;

export type AgentCommands = typeof COMMANDS;

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  void answer(line);
});
// Nothing but open sockets may keep this process running.
lines.on('close', () => {
  icmp6?.close();
  ports?.close();
  if (process.argv[2] !== 'stay') packet?.close();
});
process.stdout.write('[0]\n');

async function answer(line: string): Promise<void> {
  const [id, name, ...args] = JSON.parse(line) as [number, keyof AgentCommands, ...unknown[]];
  try {
    const command = COMMANDS[name] as (...words: unknown[]) => unknown;
    const result = await command(...args);
    process.stdout.write(`${JSON.stringify([id, result ?? null])}\n`);
  } catch (error) {
    const { code, message, sent } = error as RawSocketError;
    process.stdout.write(`${JSON.stringify([id, null, { code, message, sent }])}\n`);
  }
}
