import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { inNode, requireNode } from '../../src/lab/index.ts';
import {
  answerSpans,
  gaps,
  longest,
  macOf,
  nodesText,
  nowMs,
  overlaps,
  signalNamed,
  takeover,
} from '../../test/lan/index.ts';
import { putFile } from '../support/folder.ts';
import { JOIN_MS, NODES, type NodeName, type Rig } from './rig.ts';

/** The ways in which an address moves because somebody wants it to. */
export const PLANS = ['sigterm', 'drain', 'move'] as const;
export type Plan = (typeof PLANS)[number];

export interface PlannedResult {
  readonly plan: Plan;
  readonly ip: string;
  readonly trials: number;
  /** Trials in which the address moved; the others show nothing. */
  readonly moved: number;
  /** Echo requests sent, one a millisecond, and how many were not answered. */
  readonly pings: number;
  readonly lost: number;
  /** Uploads through the address that were under way; and those that broke, or of which bytes are missing. */
  readonly transfers: number;
  readonly broken: number;
  /** The longest time without an answer to the observer, who asks every 10 ms. */
  readonly longestGapMs: number;
  readonly longestOverlapMs: number;
}

const SECONDS = 6;
const PING_COUNT = SECONDS * 1_000;
const UPLOAD_BYTES_A_SECOND = 2_000_000;
const UPLOAD_BYTES = SECONDS * UPLOAD_BYTES_A_SECOND;
/** Into the transfers, so that they are well under way. */
const BEFORE_MS = 1_500;

/** Moves the address while packets and a connection go through it. */
export async function measurePlanned(
  rig: Rig,
  options: { readonly ip: string; readonly service: string; readonly plan: Plan; readonly trials: number },
): Promise<PlannedResult> {
  const { ip, plan, trials } = options;
  let result: PlannedResult = {
    ...{ plan, ip, trials, moved: 0, pings: 0, lost: 0, transfers: 0, broken: 0 },
    ...{ longestGapMs: 0, longestOverlapMs: 0 },
  };
  for (let trial = 0; trial < trials; trial += 1) {
    const [owner] = await rig.settle([ip]);
    if (owner === undefined) throw new Error(`${ip} has no owner`);
    const mac = await macOf(rig.state, owner);
    // The client knows where the address is before it counts.
    await rig.run('client', ['ping', '-q', '-c', '1', '-W', '2', ip]);
    const traffic = Promise.all([ping(rig, ip), upload(rig, ip)]);
    await delay(BEFORE_MS);
    const fromMs = nowMs();
    const undo = await carryOut(rig, { ...options, owner });
    const [pinged, uploaded] = await traffic;
    const toMs = nowMs();
    const seen = rig.recorder.sightings.filter(({ atMs }) => atMs >= fromMs - 500 && atMs <= toMs);
    const spans = answerSpans(seen, { ip, asker: rig.asker.mac, joinMs: JOIN_MS });
    const between = { fromMs, toMs: toMs - JOIN_MS };
    result = {
      ...{ plan, ip, trials },
      moved: result.moved + (takeover(seen, { ip, mac, fromMs }) === undefined ? 0 : 1),
      pings: result.pings + pinged.sent,
      lost: result.lost + pinged.sent - pinged.received,
      transfers: result.transfers + 1,
      broken: result.broken + (uploaded === UPLOAD_BYTES ? 0 : 1),
      longestGapMs: Math.round(Math.max(result.longestGapMs, longest(gaps(spans, between)))),
      longestOverlapMs: Math.round(Math.max(result.longestOverlapMs, longest(overlaps(spans)))),
    };
    await undo();
    rig.recorder.forgetBefore(nowMs() - 1_000);
  }
  return result;
}

/** Does what moves the address. @returns what makes the LAN as it was */
async function carryOut(
  rig: Rig,
  { plan, owner, service }: { readonly plan: Plan; readonly owner: NodeName; readonly service: string },
): Promise<() => Promise<unknown>> {
  switch (plan) {
    case 'sigterm':
      // As a kubelet ends a container; the entrypoint starts it again.
      await signalNamed(rig.state, owner, { names: ['speaker'], signal: 'SIGTERM' });
      return () => Promise.resolve();
    case 'drain': {
      const nodes = NODES.map((name) => ({ name, unschedulable: name === owner }));
      await putFile(rig.folder, 'nodes.yaml', nodesText(nodes));
      return () => putFile(rig.folder, 'nodes.yaml', nodesText(NODES.map((name) => ({ name }))));
    }
    case 'move': {
      const to = NODES.find((node) => node !== owner) ?? 'n1';
      await rig.move(service, to);
      return () => Promise.resolve();
    }
  }
}

async function ping(rig: Rig, ip: string): Promise<{ readonly sent: number; readonly received: number }> {
  const command = ['ping', '-q', '-i', '0.001', '-c', String(PING_COUNT), '-W', '2', ip];
  const { stdout } = await output(rig, command);
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(stdout);
  if (counts === null) throw new Error(`ping did not end as it should: ${stdout}`);
  return { sent: Number(counts[1]), received: Number(counts[2]) };
}

/** @returns how many bytes arrived; undefined when the connection broke */
async function upload(rig: Rig, ip: string): Promise<number | undefined> {
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const curl = `curl -s -S --max-time ${SECONDS * 3} --limit-rate ${UPLOAD_BYTES_A_SECOND} -T - http://${host}/`;
  const { stdout, exitCode } = await output(rig, ['sh', '-c', `head -c ${UPLOAD_BYTES} /dev/zero | ${curl}`]);
  return exitCode === 0 ? Number(stdout.trim()) : undefined;
}

async function output(
  rig: Rig,
  command: readonly string[],
): Promise<{ readonly stdout: string; readonly exitCode: number | null }> {
  const [file = '', ...args] = [...(await inNode(requireNode(rig.state, 'client'))), ...command];
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.once('error', reject).once('close', (exitCode) => {
      resolve({ stdout, exitCode });
    });
  });
}
