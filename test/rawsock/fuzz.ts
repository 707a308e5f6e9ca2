/**
 * Calls the addon as nobody should: arguments of every kind in every place, handles that are closed or not its own,
 * buffers that are detached, shrunk or changed by a getter in the middle of a call, callbacks that throw and close, worker
 * threads that end with sockets open. Meant for a copy of the addon compiled with AddressSanitizer: what it finds ends the
 * process. Arguments: path of the addon, name of an interface that is up, seed, seconds.
 */
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { randomFrames, randomNumbers } from './random-frames.ts';

type AnyFunction = (...args: unknown[]) => unknown;
interface Opened {
  readonly handle: unknown;
  readonly memory: ArrayBuffer;
}

const [path, interfaceName, seed, seconds] = (isMainThread ? process.argv.slice(2) : workerData) as string[];
const addon = createRequire(import.meta.url)(path!) as Record<string, AnyFunction>;
const index = addon.interfaceIndex!(interfaceName) as number;
const next = randomNumbers(Number(seed));

const ACCEPT_ALL = Uint32Array.of(0x06, 0, 0, 0x40000);
const ETHERTYPES = [0x0806, 0x86dd, 0x0003];
const NAMES = Object.keys(addon).filter((name) => typeof addon[name] === 'function');

const counts = { calls: 0, thrown: 0, batches: 0, errors: 0, opened: 0, workers: 0 };
const open: Opened[] = [];
const closed: unknown[] = [];

function pick<T>(list: readonly T[]): T {
  return list[next(list.length)]!;
}

function detach(buffer: ArrayBuffer): void {
  if (!buffer.detached) structuredClone(buffer, { transfer: [buffer] });
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(1 + next(2_000));
  detach(bytes.buffer);
  return bytes;
}

function shrunk(): Uint8Array {
  const buffer = new ArrayBuffer(2_000, { maxByteLength: 4_000 });
  const bytes = new Uint8Array(buffer);
  buffer.resize(next(2_000));
  return bytes;
}

function frame(): Uint8Array {
  return randomFrames({ seed: 1 + next(2 ** 31), count: 1, to: '00005e005302' })[0]!;
}

/** An array one of whose elements takes another one's memory, or the array's own elements, away when it is read. */
function trap(): unknown[] {
  const frames: unknown[] = Array.from({ length: 1 + next(100) }, frame);
  const at = next(frames.length);
  const victim = frames[next(frames.length)] as Uint8Array;
  const kind = next(4);
  Object.defineProperty(frames, at, {
    configurable: true,
    get: () => {
      if (kind === 0) detach(victim.buffer as ArrayBuffer);
      else if (kind === 1) frames.length = 0;
      else if (kind === 2) closeOne();
      else throw new Error('a getter that throws');
      return victim;
    },
  });
  return frames;
}

const VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => pick([0, -1, 1, 3.5, NaN, Infinity, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 40)]),
  () => 2n ** 70n,
  () => pick(['', 'lo', interfaceName, 'x'.repeat(next(5_000)), '\0', 'a\0b', '\ud800']),
  () => Symbol('s'),
  () => ({}),
  () => Object.create(null) as unknown,
  () => [],
  () => new Array<unknown>(next(200)),
  () => new Proxy([frame()], {}),
  () => new Proxy(new Uint8Array(60), {}),
  () => (): unknown => {
    throw new Error('a callback that throws');
  },
  () => () => undefined,
  () => new Uint8Array(next(70_000)),
  () => new Uint8Array(0),
  () => new Uint8Array(new SharedArrayBuffer(100)),
  () => new Uint16Array(30),
  () => new Float64Array(10),
  () => new DataView(new ArrayBuffer(60)),
  () => new ArrayBuffer(100),
  () => Buffer.alloc(64).subarray(next(64)),
  () => Uint32Array.from({ length: next(40) }, () => next(2 ** 31)),
  () => Uint32Array.from({ length: 4 * (1 + next(20)) }, () => next(64)),
  () => new Uint32Array(4 * 4_097),
  () => ACCEPT_ALL,
  detached,
  shrunk,
  frame,
  trap,
  () => Array.from({ length: next(200) }, frame),
  () => index,
  () => pick(ETHERTYPES),
  () => pick([1, 4_096, 2 ** 20]),
  handle,
  handle,
  () => closed[next(closed.length || 1)],
  () => addon,
  foreignHandle,
];

const server = createServer().listen().unref();

/** A pointer of somebody else's, wrapped in the same kind of value as our handles are: here a stream of Node's own. */
function foreignHandle(): unknown {
  return (server as unknown as { readonly _handle: { readonly _externalStream: unknown } })._handle
    ._externalStream;
}

/** One that is open, nearly always. */
function handle(): unknown {
  return open.length === 0 ? undefined : pick(open).handle;
}

/** For `open`. What comes before the result is known goes by without harm. */
function callbacks(place: { memory?: ArrayBuffer }): [AnyFunction, AnyFunction] {
  const onBatch = (): void => {
    counts.batches += 1;
    const what = next(40);
    if (what === 0) throw new Error('a callback that throws');
    if (what === 1) closeOne();
    if (what === 2) anyCall();
    // From now on there is nowhere to put frames.
    if (what === 3 && place.memory !== undefined) detach(place.memory);
  };
  const onError = (): void => {
    counts.errors += 1;
    if (next(4) === 0) throw new Error('an error callback that throws');
  };
  return [onBatch, onError];
}

function closeOne(): void {
  const [gone] = open.splice(next(open.length || 1), 1);
  if (gone === undefined) return;
  addon.close!(gone.handle);
  closed.push(gone.handle);
  // Those before may be collected.
  if (closed.length > 20) closed.splice(0, 10);
}

/** Any function with arguments that may be right, of which some are exchanged for others. */
function anyCall(): void {
  const name = pick(open.length < 3 ? ['open'] : NAMES);
  const place: { memory?: ArrayBuffer } = {};
  const right: Record<string, () => unknown[]> = {
    open: () => [index, pick(ETHERTYPES), ACCEPT_ALL, pick([1, 65_536, 2 ** 20]), ...callbacks(place)],
    send: () => [handle(), frame()],
    sendMany: () => [handle(), pick([trap, () => Array.from({ length: next(300) }, frame)])()],
    setFilter: () => [handle(), pick([ACCEPT_ALL, Uint32Array.of(0x06, 0, 0, next(3_000))])],
    membership: () => [handle(), Uint8Array.from([0x33, 0x33, 0xff, 0, 0, next(256)]), next(2) === 0],
    stats: () => [handle()],
    close: () => [handle()],
    interfaceIndex: () => [interfaceName],
    interfaceName: () => [index],
  };
  const args = right[name]!();
  for (let changes = next(3); changes > 0; changes -= 1) args[next(args.length + 1)] = pick(VALUES)();
  if (next(10) === 0) args.length = next(args.length + 1);
  counts.calls += 1;
  try {
    const result = addon[name]!(...args) as Opened | undefined;
    if (name !== 'open' || result === undefined) return;
    place.memory = result.memory;
    counts.opened += 1;
    open.push(result);
  } catch {
    counts.thrown += 1;
  }
}

/** Callbacks that throw come out here, as they do in any program. */
process.on('uncaughtException', (error) => {
  if (!error.message.endsWith('throws') && !('code' in error)) throw error;
});

async function fuzz(forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    for (let n = next(30); n > 0; n -= 1) anyCall();
    while (open.length > 20) closeOne();
    if (next(10) === 0) closeOne();
    await turn();
    if (isMainThread && next(300) === 0) await workerThatEnds();
  }
}

/** In the middle of everything, with its sockets open. */
async function workerThatEnds(): Promise<void> {
  const words = [path, interfaceName, String(1 + next(2 ** 31)), '0.2'];
  const worker = new Worker(new URL(import.meta.url), { workerData: words });
  counts.workers += 1;
  await new Promise<void>((resolve) => {
    worker.on('exit', () => {
      resolve();
    });
    if (next(2) === 0) setTimeout(() => void worker.terminate(), next(250));
  });
}

await fuzz(Number(seconds) * 1_000);
if (isMainThread) process.stdout.write(`${JSON.stringify(counts)}\n`);
// With sockets open: the addon has to clean up after itself. In a worker this ends the worker.
process.exit(0);
