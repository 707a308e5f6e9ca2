import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { l2AdvertisementText, lanServiceText, nodesText, poolText, type NodeText } from '../lan/index.ts';
import { describeWithNetns, eventually } from '../support/index.ts';
import { firstChoice, hashOrder, startLan, WITHIN, type TestLan } from './lan.ts';

const NODES = ['n1', 'n2', 'n3'];
const IP = '192.0.2.210';
const IP6 = '2001:db8::d2';
const OTHER = '192.0.2.211';
const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';

describeWithNetns('h-one-lan: which node may answer', () => {
  let lan: TestLan;

  beforeAll(async () => {
    lan = await startLan('h-one-lan');
    await lan.remove('web.yaml');
    await lan.remove('shop.yaml');
    await reset();
    lan.ask(IP, IP6, OTHER);
    await lan.expectOwner(IP);
  });

  afterAll(() => lan.stop());

  const nodes = (change: (node: NodeText) => NodeText = (node) => node): Promise<void> =>
    lan.write('nodes.yaml', nodesText(NODES.map((name) => change({ name }))));
  /** Every advertisement goes back at once, so that a test sees who is the choice and not who was first. */
  const advertise = (...specs: readonly Readonly<Record<string, unknown>>[]): Promise<void> =>
    lan.write(
      'pool.yaml',
      [
        poolText('lan', ['192.0.2.200-192.0.2.249', '2001:db8::c8-2001:db8::f9']),
        ...specs.map((spec, index) => l2AdvertisementText(`a${index}`, { failback: 'Immediate', ...spec })),
      ].join(''),
    );
  const service = (options: Partial<Parameters<typeof lanServiceText>[0]> = {}): Promise<void> =>
    lan.write('one.yaml', lanServiceText({ name: 'one', ips: [IP, IP6], endpoints: NODES, ...options }));
  const host = (name: string): object => ({ matchLabels: { 'kubernetes.io/hostname': name } });

  async function reset(): Promise<void> {
    await nodes();
    await advertise({});
    await service();
  }

  /** Who answered before the change took effect is no evidence: the owner has to stay for a while. */
  async function expectBoth(candidates: readonly string[]): Promise<string> {
    return eventually(async () => {
      const owner = await lan.expectOwner(IP, candidates);
      await lan.expectToStay(IP, owner, 1_500);
      expect(lan.owners(IP6)).toEqual([owner]);
      return owner;
    }, WITHIN);
  }

  async function expectFirst(candidates: readonly string[] = NODES): Promise<void> {
    await expectBoth([firstChoice(IP, candidates)]);
  }

  test('externalTrafficPolicy Cluster: the first choice of all, wherever the endpoints are', async () => {
    await reset();
    await expectFirst();
    await service({ endpoints: [hashOrder(IP)[2] ?? ''] });
    await expectFirst();
  });

  test.each([{ endpoints: ['n1'] }, { endpoints: ['n2', 'n3'] }, { endpoints: ['n3'] }])(
    'externalTrafficPolicy Local with endpoints on $endpoints: one of them',
    async ({ endpoints }) => {
      await reset();
      await service({ policy: 'Local', endpoints });
      await expectFirst(endpoints);
    },
  );

  test('no endpoint: nobody', async () => {
    await reset();
    await service({ endpoints: [] });
    await lan.expectNobody(IP);
    await lan.expectNobody(IP6);
  });

  test('nodeSelectors: the address follows them, one node at a time', async () => {
    await reset();
    for (const node of [...NODES, 'n1']) {
      await advertise({ nodeSelectors: [host(node)] });
      await expectBoth([node]);
    }
  });

  test('no node is selected: nobody, until one is labelled', async () => {
    await reset();
    await advertise({ nodeSelectors: [{ matchLabels: { zone: 'a' } }] });
    await lan.expectNobody(IP);
    await nodes((node) => (node.name === 'n2' ? { ...node, labels: { zone: 'a' } } : node));
    await expectBoth(['n2']);
  });

  test('several selectors and policy Local: only nodes that both allow', async () => {
    await reset();
    await service({ policy: 'Local', endpoints: ['n3'] });
    await advertise({ nodeSelectors: [host('n1')] }, {});
    await expectBoth(['n3']);
    await advertise({ nodeSelectors: [host('n1')] });
    await lan.expectNobody(IP);
  });

  test.each([
    { name: 'NetworkUnavailable', change: { networkUnavailable: true } },
    { name: 'the exclude label', change: { labels: { [EXCLUDE]: '' } } },
    { name: 'a cordon', change: { unschedulable: true } },
  ])('$name on the owner: it moves away, and back when that ends', async ({ change }) => {
    await reset();
    await expectFirst();
    const first = firstChoice(IP);
    await nodes((node) => (node.name === first ? { ...node, ...change } : node));
    await expectBoth(NODES.filter((node) => node !== first));
    await nodes();
    await expectFirst();
  });

  test('failback Never: what moved away stays there', async () => {
    await reset();
    const first = firstChoice(IP);
    await advertise({ failback: 'Never' });
    await expectFirst();
    await nodes((node) => (node.name === first ? { ...node, networkUnavailable: true } : node));
    const second = await expectBoth(NODES.filter((node) => node !== first));
    await nodes();
    await lan.expectToStay(IP, second);
  });

  describe('preferredNodeSelectors', () => {
    const [, , last = ''] = hashOrder(IP);
    const prefer = (label: string, weight: number): object => ({
      weight,
      preference: { matchLabels: { [label]: 'yes' } },
    });
    const label = (labels: Readonly<Record<string, readonly string[]>>): Promise<void> =>
      nodes((node) => ({
        ...node,
        labels: Object.fromEntries((labels[node.name] ?? []).map((each) => [each, 'yes'])),
      }));

    test('a labelled node wins over the first choice; without the label the first choice is back', async () => {
      await reset();
      await advertise({ preferredNodeSelectors: [prefer('fast', 10)] });
      await expectFirst();
      await label({ [last]: ['fast'] });
      await expectBoth([last]);
      await nodes();
      await expectFirst();
    });

    test('a preference for every node changes nothing', async () => {
      await reset();
      await advertise({ preferredNodeSelectors: [{ weight: 50, preference: {} }] });
      await expectFirst();
    });

    test('a preferred node that may not: the next', async () => {
      await reset();
      await advertise({ preferredNodeSelectors: [prefer('fast', 10)] });
      await label({ [last]: ['fast'] });
      await expectBoth([last]);
      await nodes((node) =>
        node.name === last ? { ...node, labels: { fast: 'yes', [EXCLUDE]: '' } } : node,
      );
      await expectFirst(NODES.filter((node) => node !== last));
      await label({ [last]: ['fast'] });
      await expectBoth([last]);
    });

    test('edits of the preference are followed', async () => {
      await reset();
      await label({ n1: ['a'], n2: ['b'] });
      await advertise({ preferredNodeSelectors: [prefer('a', 10)] });
      await expectBoth(['n1']);
      await advertise({ preferredNodeSelectors: [prefer('b', 10)] });
      await expectBoth(['n2']);
      await advertise({});
      await expectFirst();
    });

    test('beside nodeSelectors: the preferred one of those selected, and never one that is not', async () => {
      await reset();
      await label({ n1: ['in'], n2: ['in', 'fast'], n3: ['fast'] });
      const inside = [{ matchLabels: { in: 'yes' } }];
      await advertise({ nodeSelectors: inside, preferredNodeSelectors: [prefer('fast', 10)] });
      await expectBoth(['n2']);
      await label({ n1: ['in'], n2: ['fast'], n3: ['fast'] });
      await expectBoth(['n1']);
    });

    test('two advertisements of 60 and 50 make 110; 60 beats 50', async () => {
      await reset();
      await label({ n1: ['a'], n2: ['a', 'b'], n3: ['b'] });
      await advertise(
        { preferredNodeSelectors: [prefer('a', 60)] },
        { preferredNodeSelectors: [prefer('b', 50)] },
      );
      await expectBoth(['n2']);
      await label({ n1: ['a'], n3: ['b'] });
      await expectBoth(['n1']);
    });

    test('those of an advertisement for some Services move these only', async () => {
      await reset();
      const [, , lastOfOther = ''] = hashOrder(OTHER);
      await label({ [last]: ['fast'], [lastOfOther]: ['fast'] });
      await lan.write('two.yaml', lanServiceText({ name: 'two', ips: [OTHER], endpoints: NODES }));
      await service({ labels: { tier: 'gold' } });
      const forGold = { serviceSelectors: [{ matchLabels: { tier: 'gold' } }] };
      await advertise({}, { ...forGold, preferredNodeSelectors: [prefer('fast', 10)] });
      await lan.expectOwner(OTHER, [firstChoice(OTHER)]);
      await expectBoth([firstChoice(IP, [...new Set([last, lastOfOther])])]);
      await lan.remove('two.yaml');
    });
  });

  describe('serviceSelectors', () => {
    const tier = (name: string): object => ({ matchLabels: { tier: name } });

    test('only Services that match are answered for, and edits of labels count', async () => {
      await reset();
      await advertise({ serviceSelectors: [tier('gold'), tier('silver')] });
      await lan.expectNobody(IP);
      await service({ labels: { tier: 'silver' } });
      await expectFirst();
      await service({ labels: { tier: 'lead' } });
      await lan.expectNobody(IP);
    });

    test('two advertisements for two nodes and one Service: one of the two', async () => {
      await reset();
      await service({ labels: { tier: 'gold' } });
      await advertise(
        { serviceSelectors: [tier('gold')], nodeSelectors: [host('n1')] },
        { serviceSelectors: [tier('gold')], nodeSelectors: [host('n2')] },
      );
      await expectFirst(['n1', 'n2']);
    });

    test('advertisements that never match Service and pool at once: nobody', async () => {
      await reset();
      await service({ labels: { tier: 'gold' } });
      await advertise(
        { serviceSelectors: [tier('lead')] },
        { serviceSelectors: [tier('gold')], ipAddressPools: ['another'] },
      );
      await lan.expectNobody(IP);
    });

    test('a shared address and serviceSelectors: nobody', async () => {
      await reset();
      await service({ labels: { tier: 'gold' }, sharingKey: 'k' });
      await expectFirst();
      await advertise({ serviceSelectors: [tier('gold')] });
      await lan.expectNobody(IP);
    });
  });

  test('Services that share an address have one owner, which goes with them', async () => {
    await reset();
    const shared = { ips: [IP, IP6], endpoints: NODES, sharingKey: 'k' };
    await lan.write('one.yaml', lanServiceText({ ...shared, name: 'one' }));
    await lan.write('two.yaml', lanServiceText({ ...shared, name: 'two', port: 81 }));
    await expectFirst();
    const first = firstChoice(IP);
    await nodes((node) => (node.name === first ? { ...node, networkUnavailable: true } : node));
    const second = await expectBoth(NODES.filter((node) => node !== first));
    await eventually(async () => {
      const text = await readFile(join(lan.folder, '.status', `l2-owned-${second}.yaml`), 'utf8');
      expect(text).toContain('"one"');
      expect(text).toContain('"two"');
    }, WITHIN);
    await lan.remove('two.yaml');
    await lan.expectToStay(IP, second);
  });

  describe('interfaces', () => {
    test('the one of the LAN', async () => {
      await reset();
      await advertise({ interfaces: ['eth1'] });
      const owner = await expectBoth(NODES);
      await eventually(async () => {
        const text = await readFile(join(lan.folder, '.status', `l2-owned-${owner}.yaml`), 'utf8');
        expect(text).toContain('"eth1"');
        expect(text).not.toContain('"eth2"');
      }, WITHIN);
    });

    test('one that no node has: nobody answers, and an Event says so', async () => {
      await reset();
      await advertise({ interfaces: ['eth9'] });
      await lan.expectNobody(IP);
      await eventually(async () => {
        const lines = (await Promise.all(NODES.map(lan.logOf))).flat();
        const failed = lines.filter((line) => line.reason === 'announceFailed');
        expect(failed.length).toBeGreaterThan(0);
        expect(JSON.stringify(failed)).toContain(IP);
      }, WITHIN);
      await advertise({});
      await expectFirst();
    });

    test('two advertisements with different ones: both count', async () => {
      await reset();
      await advertise({ interfaces: ['eth9'] }, { interfaces: ['eth1'] });
      await expectBoth(NODES);
    });

    test('together with nodeSelectors: the owner follows the node', async () => {
      await reset();
      await advertise({ interfaces: ['eth1'], nodeSelectors: [host('n3')] });
      await expectBoth(['n3']);
      await advertise({ interfaces: ['eth1'], nodeSelectors: [host('n1')] });
      await expectBoth(['n1']);
    });
  });
});
