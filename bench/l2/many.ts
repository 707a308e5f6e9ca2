import { setTimeout as delay } from 'node:timers/promises';
import { nodeProcesses, requireNode, signalProcesses } from '../../src/lab/index.ts';
import {
  allWell,
  l2AdvertisementText,
  lanServiceText,
  macOf,
  nowMs,
  poolText,
  powerOff,
  powerOn,
  type Sighting,
} from '../../test/lan/index.ts';
import { putFile, removeFile } from '../support/folder.ts';
import { summarise, type Summary } from '../support/stats.ts';
import { NODES, type NodeName, type Rig } from './rig.ts';

export interface ManyResult {
  readonly addresses: number;
  /** The Services are there -> the last address is announced; what it takes to allocate them is in it. */
  readonly added: Summary;
  /** All speakers start again -> the last address is announced. Without a Node.js starting: from the first one's first word. */
  readonly claimed: Summary;
  /** The power of a node goes -> the last of its addresses is announced by another. */
  readonly moved: Summary;
  /** How many addresses those nodes had. */
  readonly ofThem: readonly number[];
}

/** RFC 2544. */
const POOL = '198.18.8.0/21';
const TIMEOUT_MS = 60_000;
const PAUSE_MS = 3_000;

/** Many addresses on one LAN: they come, are claimed anew, and lose their owner. */
export async function measureMany(
  rig: Rig,
  options: { readonly addresses: number; readonly trials: number },
): Promise<ManyResult> {
  const { addresses, trials } = options;
  for (const [index, node] of NODES.entries()) {
    await rig.run(node, ['ip', 'addr', 'replace', `198.18.0.${11 + index}/15`, 'dev', 'eth1']);
    await rig.run(node, ['ip', 'route', 'replace', POOL, 'via', '203.0.113.1']);
  }
  const ips = Array.from({ length: addresses }, (_, index) => `198.18.${8 + (index >> 8)}.${index & 255}`);
  const text = ips
    .map((ip, index) => lanServiceText({ name: `many-${index}`, ips: [ip], endpoints: NODES }))
    .join('');
  const advertisement = l2AdvertisementText('many', { ipAddressPools: ['many'] });
  await putFile(rig.folder, 'many-pool.yaml', poolText('many', [POOL]) + advertisement);
  rig.asker.ask({ ips: [], intervalMs: 1_000 });
  const added: number[] = [];
  const claimed: number[] = [];
  const moved: number[] = [];
  const ofThem: number[] = [];
  for (let trial = 0; trial < trials; trial += 1) {
    const addedMs = nowMs();
    await putFile(rig.folder, 'many.yaml', text);
    added.push((await allAnnounced(rig, { ips, fromMs: addedMs })) - addedMs);
    await delay(PAUSE_MS);

    const startedMs = await restartSpeakers(rig);
    claimed.push((await allAnnounced(rig, { ips, fromMs: startedMs })) - startedMs);
    await delay(PAUSE_MS);
    await allWell(rig.state, NODES);

    const { node, theirs } = largestOwner(rig, ips);
    ofThem.push(theirs.length);
    const not = await macOf(rig.state, node);
    const fromMs = await powerOff(rig.state, node);
    moved.push((await allAnnounced(rig, { ips: theirs, fromMs, not })) - fromMs);
    await powerOn(rig.state, node);
    await delay(PAUSE_MS);
    await allWell(rig.state, NODES);

    await removeFile(rig.folder, 'many.yaml');
    await delay(PAUSE_MS);
    rig.recorder.forgetBefore(nowMs());
  }
  await removeFile(rig.folder, 'many-pool.yaml');
  return {
    ...{ addresses, ofThem },
    ...{ added: summarise(added), claimed: summarise(claimed), moved: summarise(moved) },
  };
}

/** @returns when the last of them was announced for the first time since `fromMs`, by another than `not` */
async function allAnnounced(
  rig: Rig,
  { ips, fromMs, not }: { readonly ips: readonly string[]; readonly fromMs: number; readonly not?: string },
): Promise<number> {
  const open = new Set(ips);
  let lastMs = fromMs;
  let next = 0;
  while (nowMs() < fromMs + TIMEOUT_MS) {
    const { sightings } = rig.recorder;
    for (; next < sightings.length; next += 1) {
      const seen = sightings[next];
      if (seen === undefined || seen.atMs < fromMs || !isAnnouncement(seen) || seen.mac === not) continue;
      if (open.delete(seen.ip)) lastMs = seen.atMs;
    }
    if (open.size === 0) return lastMs;
    await delay(20);
  }
  throw new Error(
    `${open.size} of ${ips.length} addresses were not announced within ${TIMEOUT_MS} ms, such as ${[...open][0] ?? ''}`,
  );
}

function isAnnouncement({ what }: Sighting): boolean {
  return what === 'announcement' || what === 'reply';
}

/** Kills all speakers at once. @returns when the first of the new ones ran */
async function restartSpeakers(rig: Rig): Promise<number> {
  const speakers = async (): Promise<ReadonlyMap<NodeName, number>> => {
    const found = new Map<NodeName, number>();
    for (const node of NODES) {
      const processes = await nodeProcesses(requireNode(rig.state, node));
      const speaker = processes.find(({ name }) => name === 'speaker');
      if (speaker) found.set(node, speaker.pid);
    }
    return found;
  };
  const before = await speakers();
  signalProcesses(
    [...before.values()].map((pid) => ({ pid, name: 'speaker' })),
    'SIGKILL',
  );
  const deadline = nowMs() + TIMEOUT_MS;
  while (nowMs() < deadline) {
    const now = await speakers();
    if ([...now].some(([node, pid]) => before.get(node) !== pid)) return nowMs();
    await delay(20);
  }
  throw new Error(`no speaker was started again within ${TIMEOUT_MS} ms`);
}

function largestOwner(
  rig: Rig,
  ips: readonly string[],
): { readonly node: NodeName; readonly theirs: readonly string[] } {
  const byNode = new Map<NodeName, string[]>();
  const last = new Map<string, string>();
  for (const sighting of rig.recorder.sightings)
    if (isAnnouncement(sighting)) last.set(sighting.ip, sighting.mac);
  for (const ip of ips) {
    const node = rig.nodeOf(last.get(ip) ?? '');
    if (node) byNode.set(node, [...(byNode.get(node) ?? []), ip]);
  }
  const [largest] = [...byNode].sort((a, b) => b[1].length - a[1].length);
  if (largest === undefined) throw new Error('no node has any of the addresses');
  return { node: largest[0], theirs: largest[1] };
}
