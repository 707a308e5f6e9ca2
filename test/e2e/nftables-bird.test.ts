import { beforeAll } from 'vitest';
import { describeWithCluster, type TestCluster } from '../cluster/index.ts';
import { basics, type Sessions } from './basics.ts';
import { clusterWithImages } from './installed.ts';
import { losesNothing } from './no-loss.ts';
import { exampleRouter } from './router-view.ts';

/** The same product elsewhere: kube-proxy in its mode nftables, and BIRD as the router. */

/** Sessions of either kind, of the nodes 198.51.100.11 and 198.51.100.12. */
async function sessions(lab: TestCluster): Promise<Sessions> {
  const protocols = await lab.router(['show', 'protocols', 'all']);
  // One paragraph each; the first line has the state, another the neighbor.
  const bgp = protocols
    .split(/\n(?=\S)/)
    .filter((text) => /^\S+ +BGP .* Established/.test(text))
    .map((text) => /Neighbor address: (\S+)/.exec(text)?.[1] ?? '');
  const bfd = [...(await lab.router(['show', 'bfd', 'sessions'])).matchAll(/^(\S+) +\S+ +Up /gm)];
  return { bgp: bgp.sort(), bfd: bfd.map(([, address = '']) => address).sort() };
}

describeWithCluster('kube-proxy in mode nftables, a router with BIRD', () => {
  let lab: TestCluster;

  beforeAll(async () => {
    lab = await clusterWithImages({
      ...{ nodeCount: 2, proxyMode: 'nftables', router: 'bird' },
      routerConfig: await exampleRouter('bird'),
    });
  }, 1_200_000);

  basics(() => lab, sessions);
  losesNothing({ lab: () => lab, sessions, only: ['speaker'] });
});
