import { describe, expect, test } from 'vitest';
import { formatProblem } from '../core/problem.ts';
import { parseTopology } from './topology.ts';

const NODE = 'localhost/metallb-frr/lab-node';

/** A file with two nodes; `extra` goes into the first. */
function file(extra = '', links = ''): string {
  return [
    'name: lab1',
    'topology:',
    '  nodes:',
    `    n1: { kind: linux, image: ${NODE}${extra === '' ? '' : `, ${extra}`} }`,
    '    r1: { kind: linux, image: "localhost/metallb-frr/lab-router-frr:latest" }',
    ...(links === '' ? [] : [`  links: ${links}`]),
    '',
  ].join('\n');
}

function problemsOf(text: string): string[] {
  const parsed = parseTopology(text, 'x.clab.yml');
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

test('reads every supported key', () => {
  const extra = [
    'binds: ["a/n1.conf:/etc/frr/frr.conf:ro", "../manifests:/manifests", "/abs:/x/../y/:rw"]',
    'exec: ["ip addr add 192.0.2.1/24 dev eth1", "vtysh -c \'show run\'"]',
    'cap-add: [NET_ADMIN, CAP_SYS_ADMIN]',
    'sysctls: { net.ipv4.ip_forward: 1, net.ipv6.conf.all.forwarding: "1" }',
  ].join(', ');
  const parsed = parseTopology(file(extra, '[{ endpoints: ["n1:eth1", "r1:to-n1"] }]'), 'x.clab.yml');
  expect(parsed).toEqual({
    ok: true,
    topology: {
      name: 'lab1',
      nodes: [
        {
          name: 'n1',
          image: expect.objectContaining({ role: 'node' }) as object,
          binds: [
            { source: 'a/n1.conf', target: '/etc/frr/frr.conf', readOnly: true },
            { source: '../manifests', target: '/manifests', readOnly: false },
            { source: '/abs', target: '/y', readOnly: false },
          ],
          exec: [
            ['ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'eth1'],
            ['vtysh', '-c', 'show run'],
          ],
          sysctls: [
            ['net.ipv4.ip_forward', '1'],
            ['net.ipv6.conf.all.forwarding', '1'],
          ],
        },
        {
          name: 'r1',
          image: expect.objectContaining({ role: 'router-frr' }) as object,
          binds: [],
          exec: [],
          sysctls: [],
        },
      ],
      links: [{ a: { node: 'n1', interface: 'eth1' }, b: { node: 'r1', interface: 'to-n1' } }],
    },
  });
});

describe('refuses keys of containerlab that it does not support, by name and place', () => {
  test.each([
    {
      text: `${file()}mgmt: { network: x }\n`,
      want: 'mgmt: the lab does not support this key; supported here: name, topology (x.clab.yml:6:1)',
    },
    { text: `prefix: ""\n${file()}`, want: 'prefix: the lab does not support this key' },
    {
      text: file().replace('  nodes:', '  defaults: { kind: linux }\n  nodes:'),
      want: 'topology.defaults: the lab does not support this key; supported here: nodes, links (x.clab.yml:3:3)',
    },
    {
      text: file().replace('  nodes:', '  kinds: {}\n  nodes:'),
      want: 'topology.kinds: the lab does not support',
    },
    {
      text: file('ports: ["80:80"]'),
      want: 'topology.nodes.n1.ports: the lab does not support this key; supported here: kind, image, binds, exec, cap-add, sysctls (x.clab.yml:4:63)',
    },
    { text: file('env: { A: 1 }'), want: 'topology.nodes.n1.env: the lab does not support' },
    { text: file('startup-config: x'), want: 'topology.nodes.n1.startup-config: the lab does not support' },
    {
      text: file('', '[{ endpoints: ["n1:eth1", "r1:eth1"], type: veth }]'),
      want: 'topology.links[0].type: the lab does not support this key; supported here: endpoints (x.clab.yml:6:48)',
    },
  ])('$want', ({ text, want }) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(want)]);
  });
});

describe('refuses values', () => {
  test.each([
    { text: file().replace('lab1', 'a.b'), want: 'name: a.b: must be 1 to 30 lower-case' },
    { text: file().replace('lab1', 'a'.repeat(31)), want: 'must be 1 to 30 lower-case' },
    { text: file().replace('name: lab1\n', ''), want: 'name: is required' },
    { text: file().replace('lab1', '7'), want: 'name: must be a text' },
    { text: 'name: a\ntopology: { nodes: {} }\n', want: 'topology.nodes: must hold at least one node' },
    { text: 'name: a\ntopology: { nodes: [] }\n', want: 'topology.nodes: must be a mapping' },
    { text: 'name: a\n', want: 'topology: is required' },
    { text: file().replace('r1:', 'r_1:'), want: 'a node name must be' },
    {
      text: file().replace('kind: linux', 'kind: bridge'),
      want: 'topology.nodes.n1.kind: bridge: the lab supports the kind linux',
    },
    { text: file().replace('kind: linux, ', ''), want: 'topology.nodes.n1.kind: is required' },
    {
      text: file().replace(NODE, 'alpine:3'),
      want: `topology.nodes.n1.image: alpine:3: unknown image; the lab knows ${NODE}, `,
    },
    { text: file(`binds: ["a"]`), want: 'topology.nodes.n1.binds[0]: a: must be HOST:CONTAINER' },
    { text: file(`binds: ["a:/b:z"]`), want: 'option z: must be ro or rw' },
    { text: file(`binds: ["a:b"]`), want: 'b: the container path must be absolute' },
    { text: file(`binds: ["~/a:/b"]`), want: 'home folders and variables are not supported' },
    { text: file(`binds: ["__clabNodeDir__/a:/b"]`), want: 'home folders and variables are not supported' },
    { text: file(`binds: ["a:/x/.."]`), want: '/: cannot be bound over' },
    { text: file(`binds: ["a:/proc/sys"]`), want: '/proc/sys: cannot be bound over' },
    {
      text: file(`binds: ["a:/b", "c:/b/"]`),
      want: 'topology.nodes.n1.binds[1]: c:/b/: /b is bound already',
    },
    { text: file(`exec: ["echo 'a"]`), want: `topology.nodes.n1.exec[0]: echo 'a: has an unclosed '` },
    { text: file(`exec: "ip link"`), want: 'topology.nodes.n1.exec: must be a list' },
    { text: file(`cap-add: [net admin]`), want: 'must be a capability such as NET_ADMIN' },
    { text: file(`sysctls: { kernel.panic: 1 }`), want: 'only net.* belongs to a network namespace' },
    { text: file(`sysctls: { net.ipv4.ip_forward: true }`), want: 'must be a text or a number' },
    {
      text: file('', '[{ endpoints: ["n1:eth1"] }]'),
      want: 'topology.links[0].endpoints: n1:eth1: a link has two ends',
    },
    {
      text: file('', '[{ endpoints: ["n1:eth1", "n2:eth1"] }]'),
      want: 'topology.nodes has no n2; it has n1, r1',
    },
    { text: file('', '[{ endpoints: ["n1:eth1", "r1"] }]'), want: 'must be NODE:INTERFACE' },
    { text: file('', '[{ endpoints: ["n1:eth0", "r1:eth1"] }]'), want: 'eth0 is the management interface' },
    { text: file('', '[{ endpoints: ["n1:lo", "r1:eth1"] }]'), want: 'lo is the loopback' },
    {
      text: file('', '[{ endpoints: ["n1:a234567890123456", "r1:eth1"] }]'),
      want: 'must be 1 to 15 letters',
    },
    {
      text: file('', '[{ endpoints: ["n1:e1", "r1:e1"] }, { endpoints: ["n1:e2", "r1:e1"] }]'),
      want: 'topology.links[1].endpoints[1]: r1:e1: is an end of another link already',
    },
  ])('$want', ({ text, want }) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining(want)]);
  });
});

test.each([
  { text: '', want: 'must hold one YAML document, holds 0' },
  { text: `${file()}---\n${file()}`, want: 'must hold one YAML document, holds 2 (x.clab.yml:7:1)' },
  { text: 'name: [', want: 'not valid YAML' },
  { text: '[]', want: 'must be a mapping' },
])('refuses a file that is no topology: $want', ({ text, want }) => {
  expect(problemsOf(text)).toEqual([expect.stringContaining(want)]);
});

test('collects all problems of a file', () => {
  const text = file('sysctls: { kernel.panic: 1 }, exec: [""]', '[{ endpoints: ["n1:eth0", "r1:eth1"] }]');
  expect(problemsOf(text)).toHaveLength(3);
});
