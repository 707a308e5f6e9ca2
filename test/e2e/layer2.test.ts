import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { ipIn } from '../../src/lab/index.ts';
import {
  bootNodeAgain,
  crashApiServer,
  crashNode,
  describeWithCluster,
  type TestCluster,
} from '../cluster/index.ts';
import { eventually } from '../support/index.ts';
import { shellFor } from './documented.ts';
import { recordLan, startAsker, type Sighting } from '../lan/index.ts';
import { clusterWithImages, helm, install, NAMESPACE, WEB } from './installed.ts';
import { answeringFor } from './lan-view.ts';
import { servicesHaveOneOwner } from './layer2-services.ts';
import { rolledOut, textOf } from './no-loss.ts';
import { startPrometheus } from './prometheus.ts';
import { whileFetching, type Watched } from './traffic.ts';

/** Without any router that speaks BGP: one of the nodes answers for an address on their own LAN. */

const SOON = { timeoutMs: 60_000, intervalMs: 50 };
/** Longer than the Lease of a speaker holds. */
const OUTAGE_MS = 15_000;
/** For so long nobody answers at most when a node is lost: clients notice, and connections live on. */
const MOST_SILENT_MS = 1_000;
/** A node that is cut off from everybody answers for no longer than this: until it knows that the API server is away as well. */
const MOST_CUT_OFF_MS = 20_000;
const ADDRESS = '198.51.100.200';
const ADDRESS_V6 = '2001:db8:64::200';

const OBJECTS = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: ${NAMESPACE} }
spec: { addresses: ['${ADDRESS}-198.51.100.220', '${ADDRESS_V6}-2001:db8:64::220'] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: ${NAMESPACE} }
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: { metallb.io/loadBalancerIPs: '${ADDRESS},${ADDRESS_V6}' }
spec:
  type: LoadBalancer
  ipFamilyPolicy: RequireDualStack
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;

/** Words of kubectl that select the speaker's pod on a node. */
function speakerOn(node: string): readonly string[] {
  return ['-l', 'app.kubernetes.io/component=speaker', '--field-selector', `spec.nodeName=${node}`];
}

describeWithCluster('layer 2 in a cluster', () => {
  let lab: TestCluster;

  beforeAll(async () => {
    lab = await clusterWithImages({ nodeCount: 3 });
    await install(lab);
    await lab.kubectl(['apply', '-f', '-'], `${WEB}\n---${OBJECTS}`);
    await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=90s']);
  }, 1_200_000);

  /** The node that the record names. */
  async function recorded(): Promise<string> {
    const form = 'jsonpath={.items[*].status.node}';
    return lab.kubectl(['get', '-n', NAMESPACE, 'servicel2statuses', '-o', form]);
  }

  function others(node: string): readonly string[] {
    return lab.cluster.plan.nodes.map(({ name }) => name).filter((name) => name !== node);
  }

  /** The node that answers for the address, whose pods are reached there. */
  async function answering(): Promise<string> {
    const node = await answeringFor(lab, ADDRESS);
    await lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${ADDRESS}/`]);
    return node;
  }

  /** Nobody else answers for as long. */
  async function isKeptBy(node: string, forMs: number): Promise<void> {
    const untilMs = Date.now() + forMs;
    while (Date.now() < untilMs) {
      expect(await answeringFor(lab, ADDRESS)).toBe(node);
      await sleep(250);
    }
  }

  /** Names of the nodes that have had it, the last one first. */
  async function recordedHistory(): Promise<readonly string[]> {
    const form = 'jsonpath={.items[*].status.history[*].node}';
    return (await lab.kubectl(['get', '-n', NAMESPACE, 'servicel2statuses', '-o', form])).split(' ');
  }

  /**
   * Takes the power from a node under requests to the address. Of those that kube-proxy still sends to the pod on it some
   * are lost, whoever answers for the address: what counts is for how long none is answered.
   */
  async function isFollowedWithin(node: string, by: 'client' | 'controlPlane'): Promise<void> {
    const seen = await whileFetching(lab, { address: ADDRESS, by }, async () => {
      // Requests are well under way.
      await sleep(2_000);
      await crashNode(lab.cluster.plan.name, node);
    });
    process.stdout.write(`${textOf(seen)}\n`);
    expect(seen.sent).toBeGreaterThan(200);
    expect(seen.longestSilenceMs, seen.failures).toBeLessThanOrEqual(MOST_SILENT_MS);
  }

  /** Until a node that was lost runs all that it should. */
  async function isBack(node: string): Promise<void> {
    await bootNodeAgain(lab.cluster.plan.name, node, new AbortController().signal);
    await rolledOut(lab, 'speaker', 'daemonset');
  }

  async function isSettledOn(isWanted: (node: string) => boolean): Promise<string> {
    let node = '';
    await eventually(async () => {
      node = await answering();
      expect(isWanted(node), node).toBe(true);
      expect(await recorded()).toBe(node);
    }, SOON);
    return node;
  }

  /**
   * Every request found somebody. kube-proxy keeps what it knows of a connection on its node: one that is in the middle of
   * its few packets while the address moves is refused by the next node, which is no matter of who answers for the address.
   */
  function isLossless(seen: Watched, moves: number): void {
    process.stdout.write(`${textOf(seen)}\n`);
    expect(seen.sent).toBeGreaterThan(200);
    const failures = seen.failures.split('\n').filter(Boolean);
    expect(failures.filter((line) => !line.endsWith('ECONNRESET'))).toEqual([]);
    expect(failures.length, seen.failures).toBeLessThanOrEqual(2 * moves);
  }

  test('one node answers, and says so', async () => {
    await isSettledOn((node) => node !== '');
    for (const host of [ADDRESS, `[${ADDRESS_V6}]`]) {
      await eventually(async () => {
        const fetch = ['curl', '-sS', '-g', '--max-time', '2', `http://${host}/`];
        expect(await lab.inHost('cl', fetch)).toMatch(/^n[123]$/);
      }, SOON);
    }
    const events = await lab.kubectl([
      'get',
      'events',
      '--field-selector',
      'reason=nodeAssigned',
      '-o',
      'name',
    ]);
    expect(events).not.toBe('');
  });

  servicesHaveOneOwner(() => lab);

  test('a cordon alone moves nothing', async () => {
    const owner = await isSettledOn((node) => node !== '');
    await lab.kubectl(['cordon', owner]);
    await isKeptBy(owner, 3_000);
    await lab.kubectl(['uncordon', owner]);
  });

  test('another takes over from a node without power, and keeps the address when that one is back', async () => {
    const before = await isSettledOn((node) => node !== '');
    // As a host of the LAN sees it, with a neighbour entry of its own.
    await isFollowedWithin(before, 'controlPlane');
    const after = await isSettledOn((node) => node !== '' && node !== before);
    await isBack(before);
    await isSettledOn((node) => node === after);
    // Those that follow count requests, and kube-proxy may still send some to the pod that this node had before.
    await eventually(async () => {
      const { failures } = await whileFetching(lab, ADDRESS, () => Promise.resolve());
      expect(failures).toBe('');
    }, SOON);
    expect((await recordedHistory()).slice(0, 2)).toEqual([after, before]);
  });

  test('every request finds a node while the speaker that answers is exchanged', async () => {
    const before = await isSettledOn((node) => node !== '');
    const seen = await whileFetching(lab, ADDRESS, async () => {
      await lab.kubectl(['delete', 'pod', '-n', NAMESPACE, ...speakerOn(before)]);
      await rolledOut(lab, 'speaker', 'daemonset');
    });
    isLossless(seen, 1);
    await isSettledOn((node) => node !== '' && node !== before);
  });

  test('every request finds a node while an upgrade exchanges every pod', async () => {
    const seen = await whileFetching(lab, ADDRESS, async () => {
      const again = 'speaker.podAnnotations.upgrade=again,controller.podAnnotations.upgrade=again';
      const change = `${again},speaker.layer2.drainCordoned=true,prometheus.plainHTTP=true`;
      await helm(lab, 'upgrade', '--wait', '--timeout', '150s', '--set', change);
      await rolledOut(lab, 'speaker', 'daemonset');
    });
    isLossless(seen, lab.cluster.plan.nodes.length);
  });

  test('every request finds a node while the addresses are moved by hand', async () => {
    const before = await isSettledOn((node) => node !== '');
    const to = others(before)[0] ?? '';
    const shell = await shellFor(lab);
    let said = '';
    const seen = await whileFetching(lab, ADDRESS, async () => {
      said = await shell.run(`metallb-frr move ${ADDRESS} --to ${to}`);
    });
    expect(said).toContain(to);
    isLossless(seen, 1);
    await isSettledOn((node) => node === to);
  });

  test('every request finds a node while the one that answers is drained', async () => {
    const before = await isSettledOn((node) => node !== '');
    const seen = await whileFetching(lab, ADDRESS, async () => {
      await lab.kubectl(['drain', before, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=60s']);
      await isSettledOn((node) => node !== '' && node !== before);
    });
    await lab.kubectl(['uncordon', before]);
    isLossless(seen, 1);
    await rolledOut(lab, 'controller', 'deployment');
    await isSettledOn((node) => node !== '' && node !== before);
  });

  test('a Prometheus reads who has the addresses, and of nobody else, also after a move', async () => {
    const owner = await isSettledOn((node) => node !== '');
    const prometheus = await startPrometheus(lab, { tokens: { anybody: '' }, plainHTTP: true });
    const podOf = async (node: string): Promise<string> => {
      const form = 'jsonpath={.items[*].metadata.name}';
      return lab.kubectl(['get', 'pods', '-n', NAMESPACE, ...speakerOn(node), '-o', form]);
    };
    const pod = await podOf(owner);
    await eventually(async () => {
      for (const name of ['requests_received', 'responses_sent', 'gratuitous_sent']) {
        const series = await prometheus.query(`metallb_layer2_${name}{ip="${ADDRESS}"} > 0`);
        expect(
          series.map(({ metric }) => metric.pod),
          name,
        ).toEqual([pod]);
      }
      const owned = await prometheus.query('metallb_frr_l2_owned_addresses > 0');
      expect(owned.map(({ metric, value }) => [metric.pod, value[1]])).toEqual([[pod, '2']]);
    }, SOON);
    const announcedFrom = async (node: string): Promise<void> => {
      const announcing = await podOf(node);
      await eventually(async () => {
        const series = await prometheus.query('metallb_speaker_announced{protocol="layer2"}');
        const found = series.map(({ metric }) =>
          [metric.service, metric.ip, metric.node, metric.pod].join(' '),
        );
        expect(new Set(found)).toEqual(
          new Set([ADDRESS, ADDRESS_V6].map((ip) => `default/web ${ip} ${node} ${announcing}`)),
        );
      }, SOON);
    };
    await announcedFrom(owner);
    const to = others(owner)[0] ?? '';
    await (await shellFor(lab)).run(`metallb-frr move ${ADDRESS} --to ${to}`);
    await announcedFrom(to);
    await prometheus.stop();
  });

  test('a node that is cut off from everybody answers nobody any more, and joins in again afterwards', async () => {
    const owner = await isSettledOn((node) => node !== '');
    const { lanNetns } = lab.cluster.plan;
    const port = async (...change: readonly string[]): Promise<string> => ipIn(lanNetns, change);
    // A host on the cable between the node and the switch, who asks and hears although all others are away.
    await port('address', 'add', '198.51.100.250/24', 'dev', owner);
    const asker = await startAsker(lanNetns, owner);
    const recorder = await recordLan(lanNetns, owner);
    try {
      asker.ask({ ips: [ADDRESS], intervalMs: 20 });
      const isReply = ({ ip, what, to }: Sighting): boolean =>
        ip === ADDRESS && what === 'reply' && to === asker.mac;
      await recorder.first(isReply, 5_000);
      await port('link', 'set', owner, 'nomaster');
      const cutMs = Date.now();
      await sleep(MOST_CUT_OFF_MS + 3_000);
      const times = recorder.sightings.filter(isReply).map(({ atMs }) => atMs - cutMs);
      process.stdout.write(`cut off, and answered for ${Math.max(...times).toFixed(0)} ms more\n`);
      expect(Math.max(...times)).toBeGreaterThan(0);
      expect(Math.max(...times)).toBeLessThanOrEqual(MOST_CUT_OFF_MS);
      expect(others(owner)).toContain(await answeringFor(lab, ADDRESS));
    } finally {
      await asker.close();
      await recorder.close();
      await port('link', 'set', owner, 'master', 'lan');
      await port('address', 'delete', '198.51.100.250/24', 'dev', owner);
    }
    const after = await isSettledOn((node) => node !== '' && node !== owner);
    await isKeptBy(after, 3_000);
    await rolledOut(lab, 'speaker', 'daemonset');
  });

  // Behind those that count requests: for a minute after it kube-proxy sends some to a pod of that node that is not there any more.
  test('without an API server nothing moves, and a node without power is followed all the same', async () => {
    const before = await isSettledOn((node) => node !== '');
    const startAgain = await crashApiServer(lab.cluster.plan.name);
    await isKeptBy(before, OUTAGE_MS);
    await isFollowedWithin(before, 'client');
    const after = await answeringFor(lab, ADDRESS);
    expect(others(before)).toContain(after);
    await startAgain();
    await eventually(async () => {
      expect(await lab.kubectl(['get', '--raw', '/readyz'])).toBe('ok');
    }, SOON);
    const readyMs = Date.now();
    await eventually(async () => {
      expect(await recorded()).toBe(after);
    }, SOON);
    process.stdout.write(`written down ${String(Date.now() - readyMs)} ms after the API server was ready\n`);
    expect((await recordedHistory()).slice(0, 2)).toEqual([after, before]);
    await isBack(before);
    await isSettledOn((node) => node === after);
  });

  test('nobody answers any more once the Service is gone', async () => {
    await lab.kubectl(['delete', 'service', 'web']);
    await eventually(async () => {
      expect(await recorded()).toBe('');
    }, SOON);
    await lab.inHost('r1', ['ip', 'neighbor', 'flush', 'to', ADDRESS]);
    await expect(
      lab.inHost('cl', ['curl', '-sS', '--max-time', '2', `http://${ADDRESS}/`]),
    ).rejects.toThrow();
  });
});
