import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { nodeProcesses, requireNode, runInNode, type LabState } from '../../src/lab/index.ts';
import { FRR_DAEMONS, nowMs } from './hosts.ts';

const TIMEOUT_MS = 60_000;
/** For the speakers to hear of it. */
const HEARD_MS = 500;

// FRR 8.4 has no mgmtd.
const NEEDED = ['speaker', ...FRR_DAEMONS.filter((name) => name !== 'mgmtd')];

/**
 * Waits until nothing is left of the fault before: every node runs its speaker and FRR, and all BFD sessions are up. A
 * trial measures one fault, not one that comes while another is still being mended.
 */
export async function allWell(state: LabState, nodes: readonly string[]): Promise<void> {
  const deadline = nowMs() + TIMEOUT_MS;
  for (;;) {
    const ill = (await Promise.all(nodes.map((node) => illnessOf(state, node)))).filter(
      (text) => text !== '',
    );
    if (ill.length === 0) break;
    if (nowMs() > deadline) throw new Error(`after ${TIMEOUT_MS} ms: ${ill.join('; ')}`);
    await delay(100);
  }
  await delay(HEARD_MS);
}

const bfdPeers = z.array(z.object({ status: z.string() }));

/** @returns empty: nothing is wrong with the node */
async function illnessOf(state: LabState, name: string): Promise<string> {
  const node = requireNode(state, name);
  const names = (await nodeProcesses(node)).map((process) => process.name);
  const missing = NEEDED.filter((each) => !names.includes(each));
  if (missing.length > 0) return `${name} does not run ${missing.join(', ')}`;
  const { failed, stdout, stderr } = await runInNode(node, ['vtysh', '-c', 'show bfd peers json'], {
    timeoutMs: 30_000,
  });
  const answer = failed ? undefined : bfdPeers.safeParse(jsonOf(stdout)).data;
  // FRR is still coming up.
  if (answer === undefined) return `${name}: ${stderr}${stdout}`;
  const down = answer.filter(({ status }) => status !== 'up').length;
  if (answer.length === 0) return `${name} has no BFD session`;
  return down === 0 ? '' : `${name} has ${down} of ${answer.length} BFD sessions down`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
