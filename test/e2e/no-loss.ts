import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { CHECKOUT, helm, NAMESPACE } from './installed.ts';
import { isReachedThrough, SOON } from './router-view.ts';
import type { Sessions } from './basics.ts';
import { whileFetching, type Watched } from './traffic.ts';

const ADDRESS = '192.0.2.1';

const LEASE = 'metallb-frr-controller';
/** TCP sends a lost first packet again after a second: an answer that took so long was one that had to be asked for twice. */
const SLOWEST_MS = 1_000;

/** What can be exchanged. */
type Part = 'speaker' | 'controller' | 'everything';

/** How many pods are others afterwards; there are two of each. */
const EXCHANGED: Record<Part, Readonly<Record<'speaker' | 'controller', number>>> = {
  speaker: { speaker: 1, controller: 0 },
  controller: { speaker: 0, controller: 1 },
  everything: { speaker: 2, controller: 2 },
};

interface NoLoss {
  /** The cluster, with the examples in it as `basics` leaves it. */
  readonly lab: () => TestCluster;
  readonly sessions: (lab: TestCluster) => Promise<Sessions>;
  /** Default: all. */
  readonly only?: readonly Part[];
}

/** With graceful restart a client loses nothing, whatever pod of the product is exchanged. */
export function losesNothing({ lab, sessions, only }: NoLoss): void {
  /** The peer of the examples with graceful restart has no BFD: what is up without is of that one. */
  const isSettled = async (): Promise<void> => {
    const nodes = lab().cluster.plan.nodes.map(({ ipv4 }) => ipv4);
    await eventually(async () => {
      expect(await sessions(lab())).toEqual({ bgp: nodes, bfd: [] });
    }, SOON);
  };
  const isLossless = async (action: () => Promise<void>): Promise<void> => {
    const seen = await whileFetching(lab(), ADDRESS, async () => {
      await action();
      await isSettled();
    });
    const { sent, failed, failures, answers, slowestMs } = seen;
    process.stdout.write(`${textOf(seen)}\n`);
    expect(sent).toBeGreaterThan(200);
    expect(failed, failures).toBe(0);
    expect(slowestMs).toBeLessThan(SLOWEST_MS);
    expect(seen.routeChanges).toEqual([]);
    expect(Object.keys(answers).sort()).toEqual(['n1', 'n2']);
  };
  const exchanged: Record<Part, () => Promise<void>> = {
    speaker: async () => {
      const form = 'jsonpath={.items[0].metadata.name}';
      const onNode = ['-l', labelOf('speaker'), '--field-selector', 'spec.nodeName=n1'];
      await deletePod(lab(), await lab().kubectl(['get', 'pods', '-n', NAMESPACE, ...onNode, '-o', form]));
      await rolledOut(lab(), 'speaker', 'daemonset');
    },
    controller: async () => {
      const leader = await leaderOf(lab());
      await deletePod(lab(), leader);
      await rolledOut(lab(), 'controller', 'deployment');
      expect(await leaderOf(lab())).not.toBe(leader);
    },
    everything: async () => {
      const change = 'speaker.podAnnotations.upgrade=again,controller.podAnnotations.upgrade=again';
      await helm(lab(), 'upgrade', '--wait', '--timeout', '150s', '--set', change);
      await rolledOut(lab(), 'speaker', 'daemonset');
    },
  };

  test('a peer with graceful restart takes the place of the one without', async () => {
    await exchangePeer(lab(), 'graceful-restart');
    await isSettled();
    await isReachedThrough(lab(), ADDRESS, ['n1', 'n2']);
  });

  test.for(only ?? (['speaker', 'controller', 'everything'] as const))(
    'with graceful restart no request is lost while pods are exchanged: %s',
    async (part) => {
      const before = await servicesOf(lab());
      const pods = { speaker: await podsOf(lab(), 'speaker'), controller: await podsOf(lab(), 'controller') };
      await isLossless(exchanged[part]);
      expect(await servicesOf(lab())).toBe(before);
      for (const component of ['speaker', 'controller'] as const) {
        const now = await podsOf(lab(), component);
        expect(now).toHaveLength(2);
        expect(now.filter((uid) => !pods[component].includes(uid))).toHaveLength(EXCHANGED[part][component]);
      }
    },
  );
}

/** Puts the peer of a folder of examples in place of the one that is there: graceful restart cannot be changed in an object. */
export async function exchangePeer(lab: TestCluster, folder: string): Promise<void> {
  await lab.kubectl(['delete', '-n', NAMESPACE, 'bgppeer', 'router']);
  await lab.kubectl(['apply', '-f', join(CHECKOUT, 'examples', folder, 'peer.yaml')]);
}

export function textOf({ sent, failed, slowestMs, longestSilenceMs, sentAgain }: Watched): string {
  const packets = `no answer for ${String(longestSilenceMs)} ms at most, ${String(sentAgain)} packets sent again`;
  return `${String(failed)} of ${String(sent)} requests failed, the slowest took ${String(slowestMs)} ms, ${packets}`;
}

/** Names and addresses of all Services. */
async function servicesOf(lab: TestCluster): Promise<string> {
  const form = 'jsonpath={range .items[*]}{.metadata.name} {.status.loadBalancer.ingress[*].ip}{"\\n"}{end}';
  return lab.kubectl(['get', 'services', '-o', form]);
}

function labelOf(component: string): string {
  return `app.kubernetes.io/component=${component}`;
}

/** UIDs of the pods of a component, but of those that are going. */
async function podsOf(lab: TestCluster, component: string): Promise<readonly string[]> {
  const answer = await lab.kubectl(['get', 'pods', '-n', NAMESPACE, '-l', labelOf(component), '-o', 'json']);
  const { items } = JSON.parse(answer) as {
    items: { metadata: { uid: string; deletionTimestamp?: string } }[];
  };
  const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return staying.map(({ metadata }) => metadata.uid);
}

/** The pod of the controller that has the Lease. */
async function leaderOf(lab: TestCluster): Promise<string> {
  const form = 'jsonpath={.spec.holderIdentity}';
  const holder = await lab.kubectl(['get', 'lease', '-n', NAMESPACE, LEASE, '-o', form]);
  const [pod = ''] = holder.split('_');
  return pod;
}

async function deletePod(lab: TestCluster, pod: string): Promise<void> {
  await lab.kubectl(['delete', 'pod', '-n', NAMESPACE, pod]);
}

export async function rolledOut(lab: TestCluster, component: string, kind: string): Promise<void> {
  const name = `${kind}/metallb-frr-${component}`;
  await lab.kubectl(['rollout', 'status', '-n', NAMESPACE, name, '--timeout=90s']);
}
