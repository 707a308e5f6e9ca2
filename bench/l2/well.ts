import { setTimeout as delay } from 'node:timers/promises';
import { parseBfdPeers, SHOW_BFD_PEERS } from '../../src/bfd-status/index.ts';
import { nodeProcesses, requireNode } from '../../src/lab/index.ts';
import { FRR_DAEMONS, nowMs } from '../../test/lan/index.ts';
import { NODES, type Rig } from './rig.ts';

const TIMEOUT_MS = 60_000;
/** For the speakers to hear of it. */
const HEARD_MS = 500;

// FRR 8.4 has no mgmtd.
const NEEDED = ['speaker', ...FRR_DAEMONS.filter((name) => name !== 'mgmtd')];

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
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0) return `${node} does not run ${missing.join(', ')}`;
  try {
    const { sessions } = parseBfdPeers(await rig.run(node, ['vtysh', '-c', SHOW_BFD_PEERS]));
    const down = sessions.filter(({ state }) => state !== 'Up').length;
    if (sessions.length === 0) return `${node} has no BFD session`;
    return down === 0 ? '' : `${node} has ${down} of ${sessions.length} BFD sessions down`;
  } catch (error) {
    // FRR is still coming up.
    return `${node}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
