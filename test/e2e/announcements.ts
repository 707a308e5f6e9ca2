import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestCluster } from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { CHECKOUT, NAMESPACE } from './installed.ts';
import { addressesOf, fetchFrom, isReachedThrough, nextHops, SOON } from './router-view.ts';
import { apply, isTold, metallb, remove, service, type TestObject } from './suite-objects.ts';

const BOTH = ['n1', 'n2'];
const POOL = metallb('IPAddressPool', 'more', {
  addresses: ['192.0.2.192/26', '2001:db8:98::/120'],
  autoAssign: false,
});
const SERVICE = service('more', {
  annotations: { 'metallb.io/address-pool': 'more' },
  spec: { ipFamilyPolicy: 'RequireDualStack' },
});
const V4 = '192.0.2.192';
const V6 = '2001:db8:98::';

function advertisement(spec: object): TestObject {
  return metallb('BGPAdvertisement', 'more', { ipAddressPools: ['more'], ...spec });
}

/** The cluster has two nodes and a router with FRR, and is as `basics` leaves it; so it is afterwards. */
export function announcements(lab: () => TestCluster): void {
  describe('what is announced, and how', () => {
    const patch = async (kind: string, name: string, spec: object): Promise<void> => {
      const words = ['patch', '-n', NAMESPACE, kind, name, '--type=merge'];
      await lab().kubectl([...words, '-p', JSON.stringify({ spec })]);
    };
    const label = async (object: string, text: string): Promise<void> => {
      await lab().kubectl(['label', '--overwrite', ...object.split(' '), text]);
    };

    const there: TestObject[] = [];
    /** Until the end of the test at the latest. */
    const put = async (...objects: readonly TestObject[]): Promise<void> => {
      there.push(...objects);
      await apply(lab(), ...objects);
    };

    afterEach(async () => {
      await remove(lab(), ...there.splice(0));
    });

    beforeAll(async () => {
      // Half of the pool of the examples, so that there is room for others, and nothing is announced twice.
      await patch('ipaddresspool', 'first', { addresses: ['192.0.2.0/25', '2001:db8:99::/120'] });
      await patch('bgpadvertisement', 'first', { ipAddressPools: ['first'] });
      await apply(lab(), POOL, SERVICE);
      await eventually(async () => {
        expect(await addressesOf(lab(), 'more')).toEqual([V4, V6]);
      }, SOON);
    });

    afterAll(async () => {
      await remove(lab(), SERVICE, POOL, advertisement({}));
      await patch('bgpadvertisement', 'first', { ipAddressPools: null });
      await lab().kubectl(['apply', '-f', join(CHECKOUT, 'examples/cluster/pool.yaml')]);
    });

    test('two Services share an address, each with its port', async () => {
      const annotations = { 'metallb.io/allow-shared-ip': 'one', 'metallb.io/loadBalancerIPs': '192.0.2.20' };
      const shared = [80, 81].map((port) => service(`shared-${String(port)}`, { annotations, port }));
      await put(...shared);
      await isReachedThrough(lab(), '192.0.2.20', BOTH);
      const answer = (port: number): Promise<string> =>
        lab().inHost('cl', ['curl', '-sS', '--max-time', '2', `http://192.0.2.20:${String(port)}/`]);
      for (const port of [80, 81]) {
        await eventually(async () => {
          expect(await answer(port)).toMatch(/^n[12]$/);
        }, SOON);
      }
      await remove(lab(), shared[0]!);
      await eventually(async () => {
        await expect(answer(80)).rejects.toThrow();
      }, SOON);
      expect(await nextHops(lab(), '192.0.2.20')).toEqual(BOTH);
      expect(await answer(81)).toMatch(/^n[12]$/);
      await remove(lab(), ...shared);
      await isReachedThrough(lab(), '192.0.2.20', []);
    });

    test('a pool that is a range', async () => {
      const pool = metallb('IPAddressPool', 'range', {
        addresses: ['192.0.2.130-192.0.2.131'],
        autoAssign: false,
      });
      const ad = metallb('BGPAdvertisement', 'range', { ipAddressPools: ['range'] });
      const all = ['a', 'b', 'c'].map((name) =>
        service(`range-${name}`, { annotations: { 'metallb.io/address-pool': 'range' } }),
      );
      await put(pool, ad, all[0]!);
      await isReachedThrough(lab(), '192.0.2.130', BOTH);
      await put(all[1]!);
      await isReachedThrough(lab(), '192.0.2.131', BOTH);
      await eventually(async () => {
        expect(await fetchFrom(lab(), '192.0.2.131')).toMatch(/^n[12]$/);
      }, SOON);
      await put(all[2]!);
      await eventually(async () => {
        const form = 'jsonpath={.status.conditions[?(@.type=="metallb.io/AddressAssigned")].status}';
        expect(await lab().kubectl(['get', 'service', 'range-c', '-o', form])).toBe('False');
      }, SOON);
      await remove(lab(), ...all, ad, pool);
      await isReachedThrough(lab(), '192.0.2.130', []);
    });

    test('communities of every form, the union of two advertisements, and aggregates in their place', async () => {
      const names = metallb('Community', 'names', { communities: [{ name: 'edge', value: '64501:7' }] });
      const extra = metallb('BGPAdvertisement', 'extra', {
        ipAddressPools: ['more'],
        communities: ['64501:200'],
        // Routes of a pool have one.
        localPref: 200,
      });
      await put(
        names,
        advertisement({ communities: ['64501:100', 'large:64501:1:2', 'edge'], localPref: 200 }),
      );
      const attributes = { communities: '64501:7 64501:100', large: '64501:1:2' };
      for (const prefix of [`${V4}/32`, `${V6}/128`]) await isTold(lab(), prefix, BOTH, attributes);
      await isTold(lab(), '192.0.2.1/32', BOTH);
      // Local preference is for peers of the same AS (RFC 4271 section 5.1.5).
      const text = await lab().router(['-c', `show bgp ipv4 unicast ${V4}/32 json`]);
      expect(text).not.toMatch(/"locPrf": ?200/);
      await put(extra);
      const union = { ...attributes, communities: '64501:7 64501:100 64501:200' };
      for (const prefix of [`${V4}/32`, `${V6}/128`]) await isTold(lab(), prefix, BOTH, union);
      await remove(lab(), extra);
      await put(
        advertisement({ aggregationLength: 26, aggregationLengthV6: 124, communities: ['64501:300'] }),
      );
      for (const prefix of ['192.0.2.192/26', '2001:db8:98::/124']) {
        await isTold(lab(), prefix, BOTH, { communities: '64501:300' });
      }
      for (const prefix of [`${V4}/32`, `${V6}/128`]) await isTold(lab(), prefix, []);
      await eventually(async () => {
        expect(await fetchFrom(lab(), V4)).toMatch(/^n[12]$/);
      }, SOON);
      await remove(lab(), advertisement({}), names);
      await isTold(lab(), '192.0.2.192/26', []);
    });

    test('only to the peers, from the nodes and for the Services that are selected', async () => {
      const rack = { nodeSelectors: [{ matchLabels: { rack: 'a' } }] };
      const front = { serviceSelectors: [{ matchLabels: { tier: 'front' } }] };
      await put(advertisement({}));
      await isReachedThrough(lab(), V4, BOTH);
      await put(advertisement({ peers: ['nobody'] }));
      await isReachedThrough(lab(), V4, []);
      await put(advertisement({ peers: ['router'] }));
      await isReachedThrough(lab(), V4, BOTH);
      await put(advertisement(rack));
      await isReachedThrough(lab(), V4, []);
      await label('node n1', 'rack=a');
      await isReachedThrough(lab(), V4, ['n1']);
      await label('node n2', 'rack=a');
      await isReachedThrough(lab(), V4, BOTH);
      await label('node n1', 'rack-');
      await isReachedThrough(lab(), V4, ['n2']);
      await label('node n2', 'rack-');
      await put(advertisement(front));
      await isReachedThrough(lab(), V4, []);
      await label('service more', 'tier=front');
      await isReachedThrough(lab(), V4, BOTH);
      await label('service more', 'tier-');
      await isReachedThrough(lab(), V4, []);
      // Nothing of it was about the others.
      expect(await nextHops(lab(), '192.0.2.1')).toEqual(BOTH);
    });

    test('a peer has sessions with the nodes that it selects', async () => {
      const hostname = { 'kubernetes.io/hostname': 'n2' };
      await patch('bgppeer', 'router', { nodeSelectors: [{ matchLabels: hostname }] });
      await isReachedThrough(lab(), '192.0.2.1', ['n2']);
      await patch('bgppeer', 'router', { nodeSelectors: null });
      await isReachedThrough(lab(), '192.0.2.1', BOTH);
    });

    test('what the router announces is not installed, but what extras let in', async () => {
      const configure = async (no: '' | 'no '): Promise<void> => {
        const prefixes = ['203.0.113.0/24', '198.51.100.0/24'];
        const family = ['configure terminal', 'router bgp 64500', 'address-family ipv4 unicast'];
        const words = [...family, ...prefixes.map((prefix) => `${no}network ${prefix}`)];
        await lab().router(words.flatMap((word) => ['-c', word]));
      };
      const installed = async (): Promise<string> =>
        lab().inHost('n1', ['ip', '-4', 'route', 'show', 'proto', 'bgp']);
      const extras = {
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bgpextras', namespace: NAMESPACE } },
        data: {
          extras: [
            'ip prefix-list users seq 5 permit 203.0.113.0/24',
            'route-map 198.51.100.1-in permit 10',
            ' match ip address prefix-list users\n',
          ].join('\n'),
        },
      };
      await configure('');
      await isReachedThrough(lab(), '192.0.2.1', BOTH);
      expect(await installed()).toBe('');
      await put(extras);
      await eventually(async () => {
        expect(await installed()).toMatch(/^203\.0\.113\.0\/24 .*via 198\.51\.100\.1 [^\n]*$/);
      }, SOON);
      await isReachedThrough(lab(), '192.0.2.1', BOTH);
      await remove(lab(), extras);
      await eventually(async () => {
        expect(await installed()).toBe('');
      }, SOON);
      await configure('no ');
    });

    test('layer 2 beside it: answered for on the LAN, and BGP is not touched', async () => {
      const address = '198.51.100.200';
      const pool = metallb('IPAddressPool', 'lan', { addresses: [`${address}/32`], autoAssign: false });
      const ad = metallb('L2Advertisement', 'lan', { ipAddressPools: ['lan'] });
      const onLan = service('on-lan', { annotations: { 'metallb.io/address-pool': 'lan' } });
      const counters = async (): Promise<unknown> => {
        const text = await lab().router(['-c', 'show bgp ipv4 unicast summary json']);
        const { peers } = JSON.parse(text) as {
          peers: Record<string, { connectionsEstablished: number; connectionsDropped: number }>;
        };
        return Object.entries(peers).map(([name, peer]) => [name, peer.connectionsEstablished]);
      };
      const before = await counters();
      await put(pool, onLan, ad);
      await eventually(async () => {
        expect(await fetchFrom(lab(), address)).toMatch(/^n[12]$/);
      }, SOON);
      await remove(lab(), ad);
      await eventually(
        async () => {
          await lab().inHost('r1', ['ip', 'neighbor', 'flush', 'to', address]);
          await expect(fetchFrom(lab(), address)).rejects.toThrow();
        },
        { timeoutMs: 10_000 },
      );
      expect(await counters()).toEqual(before);
      expect(await nextHops(lab(), '192.0.2.1')).toEqual(BOTH);
      await remove(lab(), onLan, pool);
    });

    test('a ServiceBGPStatus names the peers that there are, and one that is removed no more', async () => {
      const second = metallb('BGPPeer', 'second', {
        ...{ myASN: 64501, peerASN: 64500, peerAddress: '198.51.100.77' },
      });
      const peersAre = async (wanted: readonly string[]): Promise<void> => {
        await eventually(async () => {
          const select = 'metallb.io/service-name=web';
          const answer = await lab().kubectl([
            ...['get', '-n', NAMESPACE, 'servicebgpstatuses', '-l', select, '-o', 'json'],
          ]);
          const { items } = JSON.parse(answer) as {
            items: { status: { node: string; peers: readonly string[] } }[];
          };
          const said = items.map(({ status }) => [status.node, status.peers] as const);
          expect(Object.fromEntries(said)).toEqual({ n1: wanted, n2: wanted });
        }, SOON);
      };
      await peersAre(['router']);
      await put(second);
      await peersAre(['router', 'second']);
      await remove(lab(), second);
      await peersAre(['router']);
    });
  });
}
