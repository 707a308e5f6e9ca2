import { setTimeout as delay } from 'node:timers/promises';
import { parseBfdPeers, SHOW_BFD_PEERS } from '../../src/bfd-status/index.ts';
import { requireNode, runInNode, setWire } from '../../src/lab/index.ts';
import { benchAddress } from '../support/manifests.ts';
import { summarise, type Summary } from '../support/stats.ts';
import { epochOf, readLog } from './log.ts';
import { NODES, type Rig } from './rig.ts';

export interface BfdResult {
  /** Link cut -> the next hop has left the FRR router's kernel. */
  readonly nextHopGone: Summary;
  /** Link cut -> the node's `bfd-status` knows. */
  readonly known: Summary;
}

/** Cuts the link between n1 and the FRR router again and again, under BFD at 50 ms x 3, carrier left up on both ends. */
export async function measureBfd(rig: Rig, trials: number): Promise<BfdResult> {
  const gone: number[] = [];
  const known: number[] = [];
  const end = { node: 'n1', interface: 'eth1' };
  const probe = [benchAddress(0)];
  for (let trial = 0; trial < trials; trial += 1) {
    await untilBfdUp(rig);
    await delay(500 + Math.random() * 200);
    const cutAt = performance.now();
    await setWire(rig.state, end, 'cut');
    gone.push((await rig.routes.frr.until(probe, NODES.length - 1, 5_000)) - cutAt);
    known.push((await downSeenAt(rig, epochOf(cutAt))) - epochOf(cutAt));
    await setWire(rig.state, end, 'whole');
    await rig.routes.frr.until(probe, NODES.length, 60_000);
  }
  return { nextHopGone: summarise(gone), known: summarise(known) };
}

/** BFD comes up after BGP does, and only then is there something to notice. */
async function untilBfdUp(rig: Rig): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    const { stdout } = await runInNode(requireNode(rig.state, 'r1'), ['vtysh', '-c', SHOW_BFD_PEERS]);
    const { sessions } = parseBfdPeers(stdout);
    if (sessions.length === NODES.length && sessions.every(({ state }) => state === 'Up')) return;
    await delay(100);
  }
  throw new Error("the router's BFD sessions did not all come up within 30 s");
}

async function downSeenAt(rig: Rig, fromMs: number): Promise<number> {
  for (let waited = 0; waited < 5_000; waited += 50) {
    const seen = (await readLog(rig.logOf('n1'))).find(
      (line) => line.msg === 'BFD state changed' && line.to === 'Down' && line.time >= fromMs,
    );
    if (seen) return seen.time;
    await delay(50);
  }
  throw new Error('the speaker on n1 did not report the BFD session down within 5 s');
}
