import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { renderGoMod } from '../../scripts/lib/kubernetes.mjs';
import { tempDir } from '../support/index.ts';
import { apiServerArgs, controllerManagerArgs, etcdArgs } from './control-plane.ts';
import { renderTokens } from './credentials.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import {
  kubeletArgs,
  renderCniConfig,
  renderContainerdToml,
  renderKubeletConfig,
  renderKubeProxyConfig,
} from './node-config.ts';
import { hostNames, MAX_NODES, namespacesOf, planCluster } from './plan.ts';
import { findOnPath } from './programs.ts';
import { renderBirdConf, renderFrrConf } from './router-config.ts';

const plan = planCluster('c1', 2);
const [node] = plan.nodes;

describe('the plan', () => {
  test('follows from the name and the number of nodes', () => {
    expect(hostNames(plan)).toEqual(['cp', 'n1', 'n2', 'r1', 'cl', 'lan']);
    expect(namespacesOf(plan)).toEqual([
      ...['k8s-c1-cp', 'k8s-c1-n1', 'k8s-c1-n2', 'k8s-c1-r1', 'k8s-c1-cl', 'k8s-c1-lan'],
    ]);
    expect(node).toEqual({
      ...{ name: 'n1', netns: 'k8s-c1-n1', cgroup: 'k8s-c1-n1', mac: '00:00:5e:00:53:0b' },
      ...{ ipv4: '198.51.100.11', ipv6: '2001:db8:64::11' },
      ...{ podRangeV4: '10.244.1.0/24', podRangeV6: 'fd00:10:244:1::/64' },
    });
  });

  test('gives no address and no name twice, however many nodes', () => {
    const { controlPlane, nodes, router, client } = planCluster('c1', MAX_NODES);
    const hosts = [controlPlane, ...nodes, router, client];
    for (const key of ['name', 'netns', 'ipv4', 'ipv6', 'mac'] as const) {
      expect(new Set(hosts.map((host) => host[key])).size).toBe(hosts.length);
    }
    expect(new Set(nodes.map(({ podRangeV6 }) => podRangeV6)).size).toBe(MAX_NODES);
  });

  test('shares no name between two clusters', () => {
    const other = namespacesOf(planCluster('c2', 2));
    expect(namespacesOf(plan).filter((name) => other.includes(name))).toEqual([]);
  });
});

describe('the configuration of a node', () => {
  test('kubelet keeps to its own cgroup and evicts nobody because of the machine', () => {
    expect(load(renderKubeletConfig(node!))).toMatchObject({
      ...{ kind: 'KubeletConfiguration', cgroupRoot: '/k8s-c1-n1', cgroupDriver: 'cgroupfs' },
      ...{ oomScoreAdj: 0, imageGCHighThresholdPercent: 100, evictionHard: { 'nodefs.available': '0%' } },
    });
    const args = kubeletArgs(node!, { configFile: '/a', kubeconfig: '/b' });
    expect(args).toContain('--node-ip=198.51.100.11,2001:db8:64::11');
  });

  test('containerd runs without CAP_SYS_RESOURCE', () => {
    const text = renderContainerdToml('native');
    expect(text).toContain('restrict_oom_score_adj = true');
    expect(text).toContain('snapshotter = "native"');
    expect(text).toContain('sandbox_image = "localhost/metallb-frr/pause:1"');
  });

  test('pods have an address of each family', () => {
    const { plugins } = JSON.parse(renderCniConfig(node!)) as { plugins: { ipam?: { ranges: unknown } }[] };
    expect(plugins[0]?.ipam?.ranges).toEqual([
      [{ subnet: '10.244.1.0/24' }],
      [{ subnet: 'fd00:10:244:1::/64' }],
    ]);
  });

  test('kube-proxy leaves the tables of the machine alone', () => {
    expect(load(renderKubeProxyConfig(node!, 'nftables', '/conf'))).toMatchObject({
      ...{ mode: 'nftables', hostnameOverride: 'n1', nodePortAddresses: ['primary'] },
      conntrack: { maxPerCore: 0, min: 0 },
    });
  });
});

describe('the control plane', () => {
  const credentials = { tokensFile: '/t', signingKeyFile: '/k', publicKeyFile: '/p' };
  const common = { credentials, certDir: '/pki', etcdPort: 1, port: 2 };

  test('with nodes it is reached at its address, and nodes may change only what is theirs', () => {
    const args = apiServerArgs({ ...common, bindAddress: '0.0.0.0', advertiseAddress: '198.51.100.100' });
    expect(args).toContain('--authorization-mode=Node,RBAC');
    expect(args).toContain('--enable-admission-plugins=NodeRestriction');
    expect(args).toContain('--advertise-address=198.51.100.100');
  });

  test('alone it has RBAC, and pods need no ServiceAccount', () => {
    const args = apiServerArgs({ ...common, bindAddress: '127.0.0.1' });
    expect(args).toContain('--authorization-mode=RBAC');
    expect(args).toContain('--disable-admission-plugins=ServiceAccount');
    expect(args).toContain('--service-account-signing-key-file=/k');
  });

  test('leaves addresses of Services to the product', () => {
    const args = controllerManagerArgs({ kubeconfig: '/c', rootCaFile: '/r', signingKeyFile: '/k' });
    expect(args).toContain('--controllers=*,-service-lb-controller');
  });

  test('etcd listens on the loopback address only', () => {
    const urls = etcdArgs({ dataDir: '/d', port: 7 }).filter((arg) => arg.includes('://'));
    expect(urls.every((arg) => arg.includes('http://127.0.0.1:'))).toBe(true);
  });

  test('tokens name user and groups', () => {
    const users = [{ name: 'a', groups: ['g', 'h'] }];
    expect(renderTokens(users, new Map([['a', 'secret']]))).toBe('secret,a,a,"g,h"\n');
  });

  test('a kubeconfig carries all it needs', () => {
    const text = renderKubeconfig({ server: 'https://s:1', caData: 'PEM', token: 't', tlsServerName: 'n' });
    expect(load(text)).toMatchObject({
      clusters: [
        {
          cluster: {
            server: 'https://s:1',
            'certificate-authority-data': 'UEVN',
            'tls-server-name': 'n',
          },
        },
      ],
      users: [{ user: { token: 't' } }],
    });
  });
});

describe('the router', () => {
  test('FRR takes sessions from the LAN, in both families', () => {
    const text = renderFrrConf(plan.router);
    expect(text).toContain(' bgp listen range 198.51.100.0/24 peer-group NODES\n');
    expect(text).toContain(' bgp listen range 2001:db8:64::/64 peer-group NODES\n');
    expect(text.match(/neighbor NODES activate/g)).toHaveLength(2);
  });

  test('BIRD accepts its configuration', async (context) => {
    const bird = await findOnPath('bird');
    if (bird === undefined) {
      context.skip('no BIRD on this machine: run `npm run setup`');
      return;
    }
    const file = join(await tempDir(), 'bird.conf');
    await writeFile(file, renderBirdConf(plan.router));
    await promisify(execFile)(bird, ['-p', '-c', file]);
  });
});

test('the module that builds Kubernetes replaces the staging modules, and no others', () => {
  const goMod = [
    ...[
      'module k8s.io/kubernetes',
      'go 1.24.0',
      'require (',
      '\tk8s.io/api v0.0.0',
      '\tk8s.io/utils v0.0.0-2025',
    ],
    ...['\tk8s.io/kubelet v0.0.0', ')', 'replace k8s.io/api => ./staging/src/k8s.io/api', ''],
  ].join('\n');
  const [version] = /v1\.\d+\.\d+/.exec(renderGoMod(goMod)) ?? [];
  const staging = version?.replace('v1.', 'v0.') ?? '';
  expect(renderGoMod(goMod).split('\n')).toEqual([
    ...['module metallb-frr/cluster', 'go 1.24.0', `require k8s.io/kubernetes ${version ?? ''}`],
    ...[
      `replace k8s.io/api => k8s.io/api ${staging}`,
      `replace k8s.io/kubelet => k8s.io/kubelet ${staging}`,
      '',
    ],
  ]);
});
