import { setTimeout as delay } from 'node:timers/promises';
import { ipIn, requireNode, runInNode, setWire, type LabState } from '../../src/lab/index.ts';
import type { Asker } from './asking.ts';
import { faultPlan, type FaultStep } from './fault-plan.ts';
import { FRR_DAEMONS, freeze, movePorts, nowMs, powerOff, powerOn, signalNamed, thaw } from './hosts.ts';
import { answerSpans, longest, overlaps, gaps, questionSpans, violations, type Violation } from './judge.ts';
import type { LanRecorder } from './recorder.ts';
import { mostStolen, stolenMs } from './stolen.ts';

/** A LAN to strike: nodes on ports of one switch, and a host that asks. */
export interface FaultLan {
  readonly state: LabState;
  readonly recorder: LanRecorder;
  readonly asker: Asker;
  readonly switchNode: string;
  /** Nodes, with the switch's port that each one's `eth1` leads to. */
  readonly nodes: ReadonlyMap<string, string>;
  readonly ips: readonly string[];
  /** Addresses of the host that asks, which the nodes take for their gateway: whoever is with it is where clients are. */
  readonly gateways: readonly string[];
}

/** With for how long a CPU was not this machine's in the step, milliseconds: for whoever looks for the cause. */
export interface FaultViolation extends Violation {
  readonly stolenMs: number;
}

export interface FaultRunResult {
  readonly seed: number;
  readonly faults: number;
  readonly violations: readonly FaultViolation[];
  /** The longest times with two owners and with none, whatever was being done. */
  readonly longestOverlapMs: number;
  readonly longestGapMs: number;
}

/** For so long there may be two owners, or none while one could be. */
const MOST_MS = 1_000;
const ASK_INTERVAL_MS = 20;
const JOIN_MS = 150;
/** For the nodes to hear of their gateway, and to have an answer of it. */
const SETTLE_MS = 2_000;
/** How long everything is left alone at the end. */
const END_MS = 4_000;

/**
 * Strikes nodes at random, and judges by the recording alone. Everything is as it was at the end.
 * @param options.onStep told what is being done, one line each
 */
export async function faultRun(
  lan: FaultLan,
  options: {
    readonly seed: number;
    readonly faults: number;
    readonly onStep: (text: string) => void;
    readonly signal?: AbortSignal;
  },
): Promise<FaultRunResult> {
  const { seed, faults, onStep, signal } = options;
  const { recorder, asker, ips } = lan;
  const plan = faultPlan({ seed, faults, nodes: [...lan.nodes.keys()] });
  const found: FaultViolation[] = [];
  let longestOverlapMs = 0;
  let longestGapMs = 0;
  let struck = 0;
  for (const node of lan.nodes.keys()) await addDefaultRoutes(lan, node);
  asker.ask({ ips, intervalMs: ASK_INTERVAL_MS });
  await delay(SETTLE_MS);
  for (const [index, step] of plan.entries()) {
    signal?.throwIfAborted();
    const what = `${step.action} ${step.kind} ${step.nodes.join(' ')}`;
    if (step.action === 'strike') struck += 1;
    const stolenBefore = await stolenMs();
    await act(lan, step);
    const fromMs = nowMs();
    const lastsMs = index === plan.length - 1 ? Math.max(step.thenMs, END_MS) : step.thenMs;
    await delay(lastsMs);
    const toMs = nowMs();
    // What is still on its way through the recorder.
    await delay(50);
    const stolen = mostStolen(stolenBefore, await stolenMs());
    const after = `fault ${struck}: ${what}`;
    const recent = recorder.sightings.filter(({ atMs }) => atMs >= fromMs - JOIN_MS && atMs <= toMs);
    for (const ip of ips) {
      const about = { ip, asker: asker.mac, joinMs: JOIN_MS };
      const spans = answerSpans(recent, about);
      const asked = questionSpans(recent, about);
      const stretches = [{ fromMs, toMs, after, hasCandidate: step.hasCandidate }];
      const broken = violations(spans, { ip, asked, stretches, mostMs: MOST_MS });
      found.push(...broken.map((violation) => ({ ...violation, stolenMs: stolen })));
      longestOverlapMs = Math.max(longestOverlapMs, longest(overlaps(spans)));
      longestGapMs = Math.max(longestGapMs, longest(asked.flatMap((time) => gaps(spans, time))));
    }
    const bad = found.filter((violation) => violation.after === after);
    onStep([after, ...bad.map(violationText)].join('; '));
    recorder.forgetBefore(toMs - JOIN_MS);
  }
  return {
    ...{ seed, faults, violations: found },
    longestOverlapMs: Math.round(longestOverlapMs),
    longestGapMs: Math.round(longestGapMs),
  };
}

/** `192.0.2.200: no owner for 1052 ms`, and what the machine did. */
export function violationText({ ip, rule, lastedMs, stolenMs: stolen }: FaultViolation): string {
  return `${ip}: ${rule} for ${lastedMs.toFixed(0)} ms (in the step, a CPU was given to other machines for ${stolen} ms)`;
}

async function act(lan: FaultLan, { action, kind, nodes }: FaultStep): Promise<void> {
  const { state } = lan;
  const isStrike = action === 'strike';
  for (const node of nodes) {
    const end = { node, interface: 'eth1' };
    switch (kind) {
      case 'cut':
      case 'unplugged':
        await setWire(state, end, isStrike ? kind : 'whole');
        break;
      case 'flapping':
        for (let count = 0; count < 5; count += 1) {
          await setWire(state, end, 'unplugged');
          await delay(60);
          await setWire(state, end, 'whole');
          await delay(60);
        }
        break;
      case 'frozen':
        await (isStrike ? freeze : thaw)(state, node);
        break;
      case 'power':
        await (isStrike ? powerOff : powerOn)(state, node);
        break;
      case 'speaker':
        await signalNamed(state, node, { names: ['speaker'], signal: 'SIGKILL' });
        break;
      case 'frr':
        await signalNamed(state, node, { names: FRR_DAEMONS, signal: 'SIGKILL' });
        break;
      case 'partition':
        await movePorts(state, lan.switchNode, {
          ports: [lan.nodes.get(node) ?? ''],
          bridge: isStrike ? 'br1' : 'br0',
        });
        break;
      case 'api':
      case 'api-all':
        await remount(state, node, isStrike ? 'ro' : 'rw');
        break;
    }
  }
}

async function addDefaultRoutes({ state, gateways }: FaultLan, node: string): Promise<void> {
  for (const gateway of gateways) {
    await ipIn(requireNode(state, node).netns, [
      'route',
      'replace',
      'default',
      'via',
      gateway,
      'dev',
      'eth1',
    ]);
  }
}

/** A folder that cannot be written to, as an API server that takes nothing; what others write there is still seen. */
async function remount(state: LabState, node: string, mode: 'ro' | 'rw'): Promise<void> {
  const command = ['mount', '-o', `remount,bind,${mode}`, '/manifests'];
  const result = await runInNode(requireNode(state, node), command);
  if (result.failed) throw new Error(`${node}: ${command.join(' ')}: ${result.stderr}`);
}
