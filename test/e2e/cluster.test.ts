import { beforeAll, expect, test } from 'vitest';
import { bootNodeAgain, crashNode, describeWithCluster, type TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { announcements } from './announcements.ts';
import { basics, type Sessions } from './basics.ts';
import { clusterWithImages, helm, NAMESPACE } from './installed.ts';
import { invalidConfiguration } from './invalid-configuration.ts';
import { exchangePeer, losesNothing, rolledOut, textOf } from './no-loss.ts';
import { exampleRouter, isReachedThrough, nextHops, SOON } from './router-view.ts';
import { whileFetching } from './traffic.ts';

/** What a user does: install the chart, say which addresses and routers there are, make a Service, and reach it. */

async function sessions(lab: TestCluster): Promise<Sessions> {
  const summary = JSON.parse(await lab.router(['-c', 'show bgp ipv4 unicast summary json'])) as {
    peers: Record<string, { state: string }>;
  };
  const peers = JSON.parse(await lab.router(['-c', 'show bfd peers json'])) as {
    peer: string;
    status: string;
  }[];
  return {
    bgp: Object.keys(summary.peers)
      .filter((address) => summary.peers[address]?.state === 'Established')
      .sort(),
    bfd: peers
      .filter(({ status }) => status === 'up')
      .map(({ peer }) => peer)
      .sort(),
  };
}

describeWithCluster('the chart in a cluster', () => {
  let lab: TestCluster;

  beforeAll(async () => {
    lab = await clusterWithImages({ nodeCount: 2, routerConfig: await exampleRouter('frr') });
  }, 1_200_000);

  basics(() => lab, sessions);

  test('says in objects what it does', async () => {
    await eventually(async () => {
      const states = await lab.kubectl(['get', '-n', NAMESPACE, 'configurationstates', '--no-headers']);
      expect(states.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
        ['controller', 'Valid'],
        ['speaker-n1', 'Valid'],
        ['speaker-n2', 'Valid'],
      ]);
      const announced = await lab.kubectl(['get', '-n', NAMESPACE, 'servicebgpstatuses', '--no-headers']);
      expect(
        announced
          .split('\n')
          .map((line) => line.split(/ +/).slice(1, 3).join(' '))
          .sort(),
      ).toEqual(['n1', 'n2'].flatMap((node) => ['dual', 'local', 'web'].map((name) => `${node} ${name}`)));
    }, SOON);
  });

  invalidConfiguration(() => lab);
  announcements(() => lab);

  test('without graceful restart an upgrade leaves the router a next hop at every moment', async () => {
    const seen = await whileFetching(lab, '192.0.2.1', async () => {
      await helm(
        lab,
        'upgrade',
        '--wait',
        '--timeout',
        '150s',
        '--set',
        'speaker.podAnnotations.upgrade=first',
      );
      await rolledOut(lab, 'speaker', 'daemonset');
      await isReachedThrough(lab, '192.0.2.1', ['n1', 'n2']);
    });
    process.stdout.write(`${textOf(seen)}\n`);
    const gone = seen.routeChanges.filter((line) => line.includes('Deleted 192.0.2.1 '));
    expect(gone).toEqual([]);
    // Both were exchanged: each next hop went, and came back.
    expect(seen.routeChanges.length).toBeGreaterThanOrEqual(4);
  });

  losesNothing({ lab: () => lab, sessions });

  test('a node without power is left out within a second, and back when it is', async () => {
    await exchangePeer(lab, 'cluster');
    await eventually(async () => {
      expect((await sessions(lab)).bfd).toHaveLength(2);
    }, SOON);
    await isReachedThrough(lab, '192.0.2.1', ['n1', 'n2']);
    const { name } = lab.cluster.plan;
    const from = performance.now();
    // It takes the link away first, and then cleans up.
    const crashed = crashNode(name, 'n1');
    await eventually(
      async () => {
        expect(await nextHops(lab, '192.0.2.1')).toEqual(['n2']);
      },
      { timeoutMs: 10_000, intervalMs: 20 },
    );
    const took = performance.now() - from;
    process.stdout.write(
      `without n1 in the router's kernel ${took.toFixed(0)} ms after its power was gone\n`,
    );
    expect(took).toBeLessThanOrEqual(1_000);
    await crashed;
    await bootNodeAgain(name, 'n1', new AbortController().signal);
    await isReachedThrough(lab, '192.0.2.1', ['n1', 'n2']);
  });

  test('takes back what is deleted', async () => {
    await lab.kubectl(['delete', 'service', 'web', 'local', 'dual']);
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) await isReachedThrough(lab, address, []);
  });
});
