import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { nodeProcesses, requireNode } from '../../src/lab/index.ts';
import { FRR_DAEMONS, nowMs } from '../../test/lan/index.ts';
import { NODES, type Rig } from './rig.ts';

const TIMEOUT_MS = 60_000;
/** For the speakers to hear of it. */
const HEARD_MS = 500;

const peersSchema = z.array(z.object({ status: z.string() }));

/**
 * Waits until nothing is left of the fault before: every node runs its speaker and FRR, and all BFD sessions are up. A
 * trial measures one fault, not one that comes while another is still being mended.
 */
export async function allWell(rig: Rig): Promise<void> {
  const deadline = nowMs() + TIMEOUT_MS;
  for (;;) {
    const ill = (await Promise.all(NODES.map((node) => illnessOf(rig, node)))).filter((text) => text !== '');
    if (ill.length === 0) break;
    if (nowMs() > deadline) throw new Error(`after ${TIMEOUT_MS} ms: ${ill.join('; ')}`);
    await delay(100);
  }
  await delay(HEARD_MS);
}

/** @returns empty: nothing is wrong with the node */
async function illnessOf(rig: Rig, node: string): Promise<string> {
  const names = (await nodeProcesses(requireNode(rig.state, node))).map(({ name }) => name);
  const missing = ['speaker', ...FRR_DAEMONS].filter((name) => !names.includes(name));
  // FRR 8.4 has no mgmtd.
  const absent = missing.filter((name) => name !== 'mgmtd');
  if (absent.length > 0) return `${node} does not run ${absent.join(', ')}`;
  try {
    const peers = peersSchema.parse(JSON.parse(await rig.run(node, ['vtysh', '-c', 'show bfd peers json'])));
    const down = peers.filter(({ status }) => status !== 'up').length;
    if (peers.length === 0) return `${node} has no BFD session`;
    return down === 0 ? '' : `${node} has ${down} of ${peers.length} BFD sessions down`;
  } catch (error) {
    // FRR is still coming up.
    return `${node}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
