import { setTimeout as delay } from 'node:timers/promises';
import { setWire } from '../../src/lab/index.ts';
import {
  allWell,
  answerSpans,
  freeze,
  FRR_DAEMONS,
  longest,
  macOf,
  nowMs,
  overlaps,
  powerOff,
  powerOn,
  signalNamed,
  takeover,
  thaw,
} from '../../test/lan/index.ts';
import { summarise, type Summary } from '../support/stats.ts';
import { JOIN_MS, NODES, type NodeName, type Rig } from './rig.ts';

/** What happens to the owner, and what ends it. Both say when, in milliseconds since the epoch. */
export interface Fault {
  readonly strike: (rig: Rig, node: NodeName) => Promise<number>;
  readonly heal: (rig: Rig, node: NodeName) => Promise<unknown>;
}

const nothing = (): Promise<void> => Promise.resolve();

export const FAULTS = {
  /** No frame passes, and both ends keep their carrier. */
  link: {
    strike: async ({ state }, node) => {
      const atMs = nowMs();
      await setWire(state, { node, interface: 'eth1' }, 'cut');
      return atMs;
    },
    heal: ({ state }, node) => setWire(state, { node, interface: 'eth1' }, 'whole'),
  },
  /** The cable is pulled: the node sees its carrier go. */
  carrier: {
    strike: async ({ state }, node) => {
      const atMs = nowMs();
      await setWire(state, { node, interface: 'eth1' }, 'unplugged');
      return atMs;
    },
    heal: ({ state }, node) => setWire(state, { node, interface: 'eth1' }, 'whole'),
  },
  frozen: {
    strike: ({ state }, node) => freeze(state, node),
    heal: ({ state }, node) => thaw(state, node),
  },
  power: {
    strike: ({ state }, node) => powerOff(state, node),
    heal: ({ state }, node) => powerOn(state, node),
  },
  /** The entrypoint starts it again after a second. */
  speaker: {
    strike: ({ state }, node) => signalNamed(state, node, { names: ['speaker'], signal: 'SIGKILL' }),
    heal: nothing,
  },
  /** watchfrr starts them again. */
  frr: {
    strike: ({ state }, node) => signalNamed(state, node, { names: FRR_DAEMONS, signal: 'SIGKILL' }),
    heal: nothing,
  },
  keepalived: {
    strike: ({ state }, node) => signalNamed(state, node, { names: ['keepalived'], signal: 'SIGKILL' }),
    heal: nothing,
  },
} as const satisfies Record<string, Fault>;

export interface TakeoverResult {
  readonly trials: number;
  /** Fault -> the first frame on the LAN in which another MAC has the address. Absent when it never moved. */
  readonly moved?: Summary;
  /** Trials in which it did not move while the fault lasted. */
  readonly stayed: number;
  /** The longest time without an answer to the observer around each fault. */
  readonly silent: Summary;
  /** The longest time with answers of two MACs, in any trial, until a second after the fault ended. */
  readonly longestOverlapMs: number;
}

export interface TakeoverOptions {
  readonly ip: string;
  readonly fault: Fault;
  readonly trials: number;
  /** How long the fault lasts at most; it ends {@link AFTER_MS} after the address has moved. */
  readonly lastsMs: number;
}

const AFTER_MS = 300;
/** What is looked at after the fault has ended. */
const HEALED_MS = 1_000;

/** Strikes the owner again and again. */
export async function measureTakeover(rig: Rig, options: TakeoverOptions): Promise<TakeoverResult> {
  const { ip, fault, trials, lastsMs } = options;
  const { recorder, asker } = rig;
  const moved: number[] = [];
  const silent: number[] = [];
  let longestOverlapMs = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    await allWell(rig.state, NODES);
    const [owner] = await rig.settle([ip]);
    if (owner === undefined) throw new Error(`${ip} has no owner`);
    const mac = await macOf(rig.state, owner);
    // Away from the beat of whatever asks or announces periodically.
    await delay(Math.random() * 500);
    const fromMs = await fault.strike(rig, owner);
    const seen = await firstBy(rig, { ip, mac, fromMs, lastsMs });
    if (seen !== undefined) {
      moved.push(seen - fromMs);
      await delay(AFTER_MS);
    }
    await fault.heal(rig, owner);
    await delay(HEALED_MS);
    const around = recorder.sightings.filter(({ atMs }) => atMs >= fromMs - 200);
    const spans = answerSpans(around, { ip, asker: asker.mac, joinMs: JOIN_MS });
    longestOverlapMs = Math.max(longestOverlapMs, longest(overlaps(spans)));
    silent.push(longestSilence(around.filter((each) => each.ip === ip && each.to === asker.mac)));
    recorder.forgetBefore(nowMs() - 2_000);
  }
  return {
    ...{ trials, stayed: trials - moved.length, silent: summarise(silent) },
    longestOverlapMs: Math.round(longestOverlapMs),
    ...(moved.length > 0 ? { moved: summarise(moved) } : {}),
  };
}

async function firstBy(
  rig: Rig,
  options: { readonly ip: string; readonly mac: string; readonly fromMs: number; readonly lastsMs: number },
): Promise<number | undefined> {
  const deadline = options.fromMs + options.lastsMs;
  while (nowMs() < deadline) {
    const seen = takeover(rig.recorder.sightings, options);
    if (seen) return seen.atMs;
    await delay(10);
  }
  return undefined;
}

function longestSilence(replies: readonly { readonly atMs: number }[]): number {
  return Math.max(0, ...replies.slice(1).map(({ atMs }, index) => atMs - (replies[index]?.atMs ?? atMs)));
}
