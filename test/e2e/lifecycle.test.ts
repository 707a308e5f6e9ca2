import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { crds } from '../chart/chart.ts';
import { describeWithCluster, type TestCluster } from '../cluster/index.ts';
import { documentedMetrics, type DocumentedMetric } from '../docs/metrics-table.ts';
import { atEnd, eventually } from '../support/index.ts';
import { commandsIn, shellFor, type Shell } from './documented.ts';
import { clusterWithImages, helm, NAMESPACE, WEB } from './installed.ts';
import { metalLbComesBack, standInForMetalLb, type OldService } from './metallb.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';

/** The life of an installation in a cluster that had MetalLB: there, measured, upgraded, rolled back, and away again. */

const SOON = { timeoutMs: 60_000, intervalMs: 100 };
const GUIDE = 'docs/migrating-from-metallb.md';
const EXAMPLES = fileURLToPath(new URL('../../examples/cluster', import.meta.url));
const OBJECTS = ['peer.yaml', 'pool.yaml'].map((name) => join(EXAMPLES, name));
const NODES = ['n1', 'n2'];
const PEER = '198.51.100.1';

/** None of them is what an empty pool would give first. */
const OLD: readonly OldService[] = [
  { name: 'plain', addresses: ['192.0.2.77'] },
  {
    name: 'dual',
    spec: { ipFamilyPolicy: 'RequireDualStack' },
    addresses: ['192.0.2.200', '2001:db8:99::42'],
  },
  ...['left', 'right'].map((name, index) => ({
    ...{ name, port: 80 + index, addresses: ['192.0.2.9'] },
    annotations: { 'metallb.io/allow-shared-ip': 'one-for-two' },
  })),
  {
    name: 'fixed',
    annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.150' },
    addresses: ['192.0.2.150'],
  },
];
const ADDRESSES = [...new Set(OLD.flatMap(({ addresses }) => addresses))];
const OURS = 'app.kubernetes.io/instance=metallb-frr';

describeWithCluster('in a cluster that had MetalLB', () => {
  let lab: TestCluster;
  let shell: Shell;
  let history: AddressHistory;

  beforeAll(async () => {
    lab = await clusterWithImages({ nodeCount: 2 });
    shell = await shellFor(lab);
    await standInForMetalLb(lab, OBJECTS, OLD);
    await lab.kubectl(['apply', '-f', '-'], WEB);
    await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=90s']);
    history = watchAddresses(lab);
  }, 1_200_000);

  async function runGuide(heading: string): Promise<void> {
    const commands = await commandsIn(GUIDE, heading);
    expect(commands).toHaveLength(1);
    await shell.run(commands[0] ?? '');
  }

  /** No Service has had any other addresses than MetalLB's, not for a moment. */
  async function allAreAsBefore(): Promise<void> {
    const wanted = OLD.map(({ name, addresses }) => `${name} ${addresses.join(',')}`).sort();
    const form = 'custom-columns=NAME:.metadata.name,IPS:.status.loadBalancer.ingress[*].ip';
    const now = (await lab.kubectl(['get', 'services', '--no-headers', '-o', form])).split('\n');
    const words = now.map((line) => line.split(/ +/).join(' ')).filter((line) => !line.endsWith('<none>'));
    expect(words.sort()).toEqual(wanted);
    expect(await history.seen(OLD.map(({ name }) => name))).toEqual(wanted);
  }

  async function areReachedThrough(nodes: readonly string[]): Promise<void> {
    for (const address of ADDRESSES) {
      await eventually(async () => {
        expect(await nextHops(lab, address)).toEqual(nodes);
      }, SOON);
    }
  }

  async function objectsLeft(): Promise<readonly string[]> {
    const kinds = 'ipaddresspools,bgpadvertisements,bgppeers,bfdprofiles';
    return (await lab.kubectl(['get', '-n', NAMESPACE, kinds, '-o', 'name'])).split('\n').sort();
  }

  describe('moving over, by the commands of the guide', () => {
    const EXPORTED = [
      'bfdprofile.metallb.io/fast',
      'bgpadvertisement.metallb.io/first',
      'bgppeer.metallb.io/router',
      'ipaddresspool.metallb.io/first',
    ];

    test('MetalLB stands in the way', async () => {
      expect(await objectsLeft()).toEqual(EXPORTED);
      await expect(lab.kubectl(['get', 'bgppeers.v1beta1.metallb.io', '-A'])).rejects.toThrow('conversion');
      const pool = ['annotate', '-n', NAMESPACE, 'ipaddresspool', 'first', 'example.com/note=one'];
      await expect(lab.kubectl(pool)).rejects.toThrow('failed calling webhook');
      expect(await nextHops(lab, '192.0.2.77')).toEqual([]);
    });

    test('a look says what each Service has', async () => {
      const [look = '', convert = ''] = await commandsIn(GUIDE, '1. Look');
      const said = await shell.run(look);
      for (const { name, addresses } of OLD) {
        const line = said.split('\n').find((each) => each.includes(`default/${name} `)) ?? '';
        expect(line, said).toContain(addresses.join(', '));
      }
      const old = 'address-pools: [{name: old, protocol: bgp, addresses: [203.0.113.0/28]}]';
      const literal = `--from-literal=config=${old}`;
      await lab.kubectl(['create', 'configmap', '-n', NAMESPACE, 'config', literal]);
      await shell.run(convert);
      await lab.kubectl(['delete', 'configmap', '-n', NAMESPACE, 'config']);
      expect(await readFile(join(shell.folder, 'metallb.yaml'), 'utf8')).toContain('kind: IPAddressPool');
    });

    test('MetalLB goes, and nothing else', async () => {
      await runGuide('2. Take MetalLB away, and nothing else');
      await eventually(async () => {
        expect(await lab.kubectl(['get', 'pods', '-n', NAMESPACE, '-o', 'name'])).toBe('');
      }, SOON);
      expect(await objectsLeft()).toEqual(EXPORTED);
      await allAreAsBefore();
    });

    test('ours comes, every address stays, and the routers hear of it', async () => {
      await runGuide('3. Install');
      await areReachedThrough(NODES);
      await runGuide('4. Check');
      await allAreAsBefore();
      await eventually(async () => {
        const states = await lab.kubectl(['get', '-n', NAMESPACE, 'configurationstates', '--no-headers']);
        expect(states.split('\n').map((line) => line.split(/ +/)[1])).toEqual(['Valid', 'Valid', 'Valid']);
      }, SOON);
      await lab.kubectl(['get', 'bgppeers.v1beta1.metallb.io', '-A']);
      await lab.kubectl(['annotate', '-n', NAMESPACE, 'ipaddresspool', 'first', 'example.com/note=one']);
      for (const address of ['192.0.2.77', '[2001:db8:99::42]']) {
        await eventually(async () => {
          const url = `http://${address}/`;
          expect(await lab.inHost('cl', ['curl', '-sS', '--max-time', '2', url])).toMatch(/^n[12]$/);
        }, SOON);
      }
    });
  });

  describe('a Prometheus', () => {
    test('reads the metrics over HTTPS when it is allowed to', async () => {
      await lab.kubectl(['create', 'namespace', 'monitoring']);
      const token = async (name: string): Promise<string> => {
        await lab.kubectl(['create', 'serviceaccount', '-n', 'monitoring', name]);
        return lab.kubectl(['create', 'token', '-n', 'monitoring', name]);
      };
      const tokens = { prometheus: await token('prometheus'), stranger: await token('stranger') };
      for (const commands of await commandsIn('docs/metrics.md', 'Reading them')) {
        await shell.run(commands);
      }
      const prometheus = await startPrometheus(lab, { tokens, plainHTTP: false });
      await eventually(async () => {
        expect(await scrapesOf(prometheus)).toEqual([
          'prometheus controller https up',
          'prometheus controller https up',
          'prometheus speaker https up',
          'prometheus speaker https up',
          ...['controller', 'controller', 'speaker', 'speaker'].map(
            (name) => `stranger ${name} https server returned HTTP status 403 Forbidden`,
          ),
        ]);
      }, SOON);
      await hasEverySeries(prometheus);
      await hasTheNumbers(prometheus);
      await eventually(async () => {
        const rules = await prometheus.rules();
        expect(rules).toHaveLength(7);
        const notQuiet = rules.filter(({ health, state }) => health !== 'ok' || state !== 'inactive');
        expect(notQuiet).toEqual([]);
      }, SOON);
      await prometheus.stop();
    });

    test('reads them over plain HTTP after an upgrade that says so', async () => {
      await helm(lab, 'upgrade', '--wait', '--timeout', '150s', '--set', 'prometheus.plainHTTP=true');
      await allAreAsBefore();
      await areReachedThrough(NODES);
      const prometheus = await startPrometheus(lab, { tokens: { anybody: '' }, plainHTTP: true });
      await eventually(async () => {
        const wanted = ['controller', 'controller', 'speaker', 'speaker'].map(
          (name) => `anybody ${name} http up`,
        );
        expect(await scrapesOf(prometheus)).toEqual(wanted);
      }, SOON);
      const ports = new Set((await prometheus.targets()).map(({ scrapeUrl }) => new URL(scrapeUrl).port));
      expect([...ports].sort()).toEqual(['7472', '7473']);
      await hasTheNumbers(prometheus);
      await prometheus.stop();
    });
  });

  test('a rollback brings back the version before, and no address or route is lost', async () => {
    const args = async (): Promise<string> => {
      const form = 'jsonpath={.spec.template.spec.containers[0].args}';
      return lab.kubectl(['get', '-n', NAMESPACE, 'daemonset/metallb-frr-speaker', '-o', form]);
    };
    expect(await args()).toContain('--port=0');
    await shell.run(`helm rollback metallb-frr 1 --namespace ${NAMESPACE} --wait --timeout 150s`);
    expect(await args()).toContain('--port=9120');
    const list = await shell.run(`helm history metallb-frr --namespace ${NAMESPACE} -o json`);
    const revisions = JSON.parse(list) as readonly {
      readonly status: string;
      readonly description: string;
    }[];
    // Installed, Prometheus let in, plain HTTP.
    const before = ['superseded', 'superseded', 'superseded'];
    expect(revisions.map(({ status }) => status)).toEqual([...before, 'deployed']);
    expect(revisions.at(-1)?.description).toBe('Rollback to 1');
    await allAreAsBefore();
    await areReachedThrough(NODES);
  });

  describe('moving back', () => {
    test('leaves CRDs, objects and addresses, and takes the rest away', async () => {
      const objects = await objectsLeft();
      const [commands = ''] = await commandsIn(GUIDE, 'Back again');
      await shell.run(commands);
      await areReachedThrough([]);
      await allAreAsBefore();
      expect(await objectsLeft()).toEqual(objects);
      const names = (await lab.kubectl(['get', 'crds', '-o', 'jsonpath={.items[*].metadata.name}'])).split(
        ' ',
      );
      expect(names.sort()).toEqual([...crds().values()].map(({ metadata }) => metadata.name).sort());
      const kinds = 'pods,deployments,daemonsets,serviceaccounts,roles,rolebindings,services';
      const ours = ['-l', OURS, '-o', 'name'];
      await eventually(async () => {
        expect(await lab.kubectl(['get', '-n', NAMESPACE, kinds, ...ours])).toBe('');
        expect(await lab.kubectl(['get', 'clusterroles,clusterrolebindings', ...ours])).toBe('');
        const reports = 'configurationstates,servicebgpstatuses';
        expect(await lab.kubectl(['get', '-n', NAMESPACE, reports, '-o', 'name'])).toBe('');
      }, SOON);
    });

    test('MetalLB finds everything as it was', async () => {
      const objects = await objectsLeft();
      await metalLbComesBack(lab);
      await allAreAsBefore();
      expect(await objectsLeft()).toEqual(objects);
      await expect(lab.kubectl(['get', 'bgppeers.v1beta1.metallb.io', '-A'])).rejects.toThrow('conversion');
    });
  });

  test('moving over node by node: routes of ours are there before the last of MetalLB has gone', async () => {
    const [prepare = '', each = '', end = ''] = await commandsIn(GUIDE, 'Node by node');
    await shell.run(prepare);
    await areReachedThrough([]);
    const nodesOfMetalLb = async (): Promise<string> => {
      const pods = ['get', 'pods', '-n', NAMESPACE, '-l', 'app.kubernetes.io/name=metallb'];
      return lab.kubectl([...pods, '--sort-by=.spec.nodeName', '-o', 'jsonpath={.items[*].spec.nodeName}']);
    };
    for (const [index, node] of NODES.entries()) {
      await shell.run(`NODE=${node}\n${each}`);
      await areReachedThrough(NODES.slice(0, index + 1));
      await eventually(async () => {
        expect(await nodesOfMetalLb()).toBe(NODES.slice(index + 1).join(' '));
      }, SOON);
    }
    await shell.run(end);
    await allAreAsBefore();
  });

  /** Every name that docs/metrics.md has, with its labels and those of its pod. */
  async function hasEverySeries(prometheus: Prometheus): Promise<void> {
    const documented = ['Controller', 'Speaker'].flatMap((section) =>
      documentedMetrics(section).map((metric) => ({ metric, container: section.toLowerCase() })),
    );
    // Has no series, in MetalLB neither.
    const expected = documented.filter(({ metric }) => !metric.name.includes('services_allocated'));
    await eventually(async () => {
      for (const { metric, container } of expected) {
        const found = await prometheus.query(`${seriesName(metric)}{container="${container}"}`);
        const labels = found.map(({ metric: { __name__: _name, ...rest } }) => Object.keys(rest).sort());
        const target = ['container', 'instance', 'job', 'namespace', 'pod'];
        expect(labels[0], metric.name).toEqual([...target, ...metric.labels].sort());
        if (container === 'speaker') expect(new Set(found.map((each) => each.metric.pod)).size).toBe(2);
      }
    }, SOON);
  }

  async function hasTheNumbers(prometheus: Prometheus): Promise<void> {
    const values = async (expression: string): Promise<readonly string[]> =>
      (await prometheus.query(expression)).map(({ value }) => value[1]);
    await eventually(async () => {
      const up = `metallb_bgp_session_up{peer="${PEER}:179",vrf="default"}`;
      expect(await values(`sum(${up})`)).toEqual(['2']);
      expect(await values(`sum(metallb_bfd_session_up{peer="${PEER}",vrf="default"})`)).toEqual(['2']);
      // Each node sends the router every address once.
      expect(await values('max(metallb_bgp_announced_prefixes_total)')).toEqual([String(ADDRESSES.length)]);
      const announced = await prometheus.query('metallb_speaker_announced{node="n2",protocol="bgp"}');
      expect(announced.map(({ metric }) => `${metric.service ?? ''} ${metric.ip ?? ''}`).sort()).toEqual(
        OLD.flatMap(({ name, addresses }) => addresses.map((ip) => `default/${name} ${ip}`)).sort(),
      );
      expect(await values('metallb_allocator_addresses_in_use_total{pool="first"}')).toEqual([
        String(ADDRESSES.length),
      ]);
      expect(await values('sum(metallb_allocator_ipv4_addresses_total{pool="first"})')).toEqual(['254']);
      // One of the two controllers stands by.
      const loaded = 'metallb_k8s_client_config_loaded_bool';
      expect(await values(`sum(${loaded}{container="controller"})`)).toEqual(['1']);
      expect(await values(`sum(${loaded}{container="speaker"})`)).toEqual(['2']);
      expect(await values('sum(metallb_frr_event_to_apply_seconds_count) > 1')).toHaveLength(1);
    }, SOON);
  }
});

function seriesName({ name, type }: DocumentedMetric): string {
  return type === 'histogram' ? `${name}_count` : name;
}

/** `JOB CONTAINER SCHEME up`, or the error, of all targets. */
async function scrapesOf(prometheus: Prometheus): Promise<readonly string[]> {
  const targets = await prometheus.targets();
  return targets
    .map(({ labels, scrapeUrl, health, lastError }) => {
      const job = labels.job?.split('/')[0] ?? '';
      const scheme = new URL(scrapeUrl).protocol.slice(0, -1);
      return `${job} ${labels.container ?? ''} ${scheme} ${health === 'down' ? lastError : health}`;
    })
    .sort();
}

/** The nodes through which the router's kernel sends what is for an address, by name. */
async function nextHops(lab: TestCluster, address: string): Promise<readonly string[]> {
  const family = address.includes(':') ? '-6' : '-4';
  const answer = await lab.inHost('r1', ['ip', family, '-j', 'route', 'show', address]);
  const routes = JSON.parse(answer) as { gateway?: string; nexthops?: { gateway: string }[] }[];
  const gateways = routes.flatMap(({ gateway, nexthops = [] }) => [
    ...(gateway === undefined ? [] : [gateway]),
    ...nexthops.map((hop) => hop.gateway),
  ]);
  return [...new Set(gateways.map((ip) => nodeName(lab, ip)))].sort();
}

/** A node's link-local address, which IPv6 routes go to, is made of its MAC (RFC 4291 appendix A). */
function nodeName({ cluster }: TestCluster, ip: string): string {
  const node = cluster.plan.nodes.find(({ ipv4, ipv6, mac }) => {
    const lastOctet = mac.split(':').at(-1) ?? '';
    return ip === ipv4 || ip === ipv6 || (ip.startsWith('fe80:') && ip.endsWith(lastOctet));
  });
  return node?.name ?? ip;
}

interface AddressHistory {
  /** `NAME ADDRESS,ADDRESS` of these Services, each that there ever was once. */
  readonly seen: (names: readonly string[]) => Promise<readonly string[]>;
}

/** Writes down every version of every Service from now on. */
function watchAddresses({ cluster }: TestCluster): AddressHistory {
  const form = 'custom-columns=NAME:.metadata.name,IPS:.status.loadBalancer.ingress[*].ip';
  const args = ['--kubeconfig', cluster.kubeconfig, 'get', 'services', '--watch', '--no-headers', '-o', form];
  const lines = new Set<string>();
  const watching = execa(cluster.kubectl, args, { stdin: 'ignore', reject: false, buffer: false });
  watching.stdout.setEncoding('utf8');
  let rest = '';
  watching.stdout.on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) lines.add(line.trim().split(/ +/).join(' '));
  });
  watching.stderr.resume();
  let hasEnded = false;
  void watching.then(() => {
    hasEnded = true;
  });
  atEnd(async () => {
    watching.kill();
    await watching;
  });
  return {
    seen: async (names) => {
      expect(hasEnded, 'the watch has ended').toBe(false);
      await eventually(() => {
        for (const name of names) expect([...lines].some((line) => line.startsWith(`${name} `))).toBe(true);
      });
      return [...lines].filter((line) => names.includes(line.split(' ')[0] ?? '')).sort();
    },
  };
}
