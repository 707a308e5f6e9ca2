import { join, resolve } from 'node:path';
import { requireNode, runIn } from '../../src/lab/index.ts';
import { macOf, OBSERVER } from '../../test/lan/index.ts';
import type { ClientOrder, ClientReport } from '../rawsock/client.ts';
import { summarise, type Summary } from '../support/stats.ts';
import type { Rig } from './rig.ts';

export interface LatencyResult {
  readonly family: 'ipv4' | 'ipv6';
  /** Microseconds, from one question after the other, in turn: for an address of the node itself, answered by its kernel, */
  readonly kernel: Summary;
  /** and for one that its speaker answers for. */
  readonly ours: Summary;
  /** Questions that nobody answered. */
  readonly lost: number;
  readonly perSecond: number;
}

const CLIENT = resolve(import.meta.dirname, '../rawsock/client.ts');
const FLOOD_SECONDS = 5;

/** Asks the owner through the switch of the LAN, as any host does. */
export async function measureLatency(
  rig: Rig,
  options: { readonly ip: string; readonly trials: number },
): Promise<LatencyResult> {
  const { ip, trials } = options;
  const family = ip.includes(':') ? 'ipv6' : 'ipv4';
  const [owner = 'n1'] = await rig.settle([ip]);
  rig.asker.ask({ ips: [], intervalMs: 1_000 });
  const number = 10 + Number(owner.slice(1));
  const own = family === 'ipv4' ? `192.0.2.${number}` : `2001:db8::${number}`;
  const client = { interfaceName: 'eth1', mac: await macOf(rig.state, 'observer'), ip: OBSERVER[family] };
  // A pause lets the speaker do what else it has to do.
  const latency = { targets: [own, ip], trials, pauseMs: 0 };
  const { microseconds, lost } = await ask(rig, { ...client, latency });
  const flooded = await ask(rig, { ...client, flood: { target: ip, seconds: FLOOD_SECONDS } });
  return {
    ...{ family, lost, perSecond: Math.round(flooded.replies / flooded.seconds) },
    ...{ kernel: summarise(microseconds[0] ?? []), ours: summarise(microseconds[1] ?? []) },
  };
}

async function ask({ state }: Rig, order: ClientOrder): Promise<ClientReport> {
  const { netns } = requireNode(state, 'observer');
  const command = [process.execPath, join(CLIENT), JSON.stringify(order)];
  const { stdout } = await runIn(netns, command, { timeoutMs: 600_000 });
  return JSON.parse(stdout) as ClientReport;
}
