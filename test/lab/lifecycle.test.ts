import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  createNetns,
  deleteNetns,
  labDown,
  labNames,
  labStatus,
  labUp,
  netnsPids,
  setWire,
} from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, eventually, tempDir } from '../support/index.ts';
import { CLIENT, pair, startTopology, testName, testTopology, traces, type TestLab } from './support.ts';

const LAB = testName('lifecycle');

describeWithNetns('a lab of namespaces', () => {
  let lab: TestLab;
  let dir: string;

  beforeAll(async () => {
    dir = await tempDir();
    await mkdir(join(dir, 'shared'));
    await writeFile(join(dir, 'shared/hello'), 'from outside\n');
    await writeFile(join(dir, 'frr.conf'), 'ip prefix-list given seq 5 permit any\n');
    const text = [
      'name: lifecycle',
      'topology:',
      '  nodes:',
      '    n1:',
      '      kind: linux',
      '      image: localhost/metallb-frr/lab-node',
      '      binds: ["shared:/deep/new/folder", "frr.conf:/etc/frr/frr.conf:ro"]',
      '      sysctls: { net.ipv4.ip_forward: 1, net.ipv4.conf.default.rp_filter: 2 }',
      '      exec: ["ip addr add 192.0.2.0/31 dev eth1", "ip route add local 198.51.100.0/24 dev lo"]',
      '    c1:',
      '      kind: linux',
      `      image: ${CLIENT}`,
      '      binds: ["shared:/same"]',
      '      sysctls: { net.ipv4.conf.default.rp_filter: 1 }',
      '      exec: ["ip addr add 192.0.2.1/31 dev eth1", "ip route add 198.51.100.0/24 via 192.0.2.0"]',
      '  links: [{ endpoints: ["n1:eth1", "c1:eth1"] }]',
      '',
    ].join('\n');
    const file = join(dir, 'x.clab.yml');
    lab = await startTopology(testTopology(text, file), file);
  });

  test('each node has its own name, processes, interfaces and sysctls', async () => {
    expect((await lab.run('n1', ['hostname'])).trim()).toBe('n1');
    expect((await lab.run('c1', ['hostname'])).trim()).toBe('c1');
    expect(await lab.run('c1', ['ps', '-e', '-o', 'pid=,comm='])).not.toContain('bgpd');
    expect(await lab.run('n1', ['ps', '-p', '1', '-o', 'args='])).toContain('images/lab/entrypoint node');
    const links = JSON.parse(await lab.run('n1', ['ip', '-json', 'link'])) as {
      ifname: string;
      operstate: string;
    }[];
    expect(links.map(({ ifname }) => ifname).sort()).toEqual(['eth1', 'lo']);
    expect(links.find(({ ifname }) => ifname === 'eth1')?.operstate).toBe('UP');
    expect(await readFile('/proc/sys/kernel/hostname', 'utf8')).not.toBe('n1\n');
    expect((await lab.run('n1', ['cat', '/proc/sys/net/ipv4/conf/eth1/rp_filter'])).trim()).toBe('2');
    expect((await lab.run('c1', ['cat', '/proc/sys/net/ipv4/conf/eth1/rp_filter'])).trim()).toBe('1');
  });

  test('what a node writes stays in it', async () => {
    const before = await readdir('/etc/frr').catch(() => []);
    await lab.run('n1', [
      'sh',
      '-c',
      'echo x >/etc/frr/written-inside && echo x >/usr/written-inside && rm -f /etc/passwd',
    ]);
    expect(await readdir('/etc/frr').catch(() => [])).toEqual(before);
    expect(await readdir('/usr')).not.toContain('written-inside');
    expect(await readFile('/etc/passwd', 'utf8')).toContain('root');
    expect(await lab.run('c1', ['ls', '/usr', '/etc/frr'])).not.toContain('written-inside');
    expect(await lab.run('c1', ['cat', '/etc/passwd'])).toContain('root');
  });

  test('a read-only bind is the file itself, others are one copy for all nodes', async () => {
    expect(await lab.run('n1', ['vtysh', '-c', 'show running-config'])).toContain('prefix-list given');
    await expect(lab.run('n1', ['sh', '-c', 'echo x >>/etc/frr/frr.conf'])).rejects.toThrow(/Read-only/);
    expect(await lab.run('c1', ['cat', '/same/hello'])).toBe('from outside');
    await lab.run('n1', ['sh', '-c', 'echo changed >/deep/new/folder/hello']);
    expect(await lab.run('c1', ['cat', '/same/hello'])).toBe('changed');
    expect(await readFile(join(dir, 'shared/hello'), 'utf8')).toBe('from outside\n');
  });

  test('a virtual address of a node answers with the node name', async () => {
    await eventually(async () => {
      expect((await lab.run('c1', ['curl', '-s', '--max-time', '1', 'http://198.51.100.7/'])).trim()).toBe(
        'n1',
      );
    });
  });

  test('a cut link stops traffic and keeps the carrier; a mended one passes it again', async () => {
    const carrier = ['cat', '/sys/class/net/eth1/carrier'];
    const get = ['curl', '-s', '--max-time', '1', 'http://192.0.2.0/'];
    await setWire(lab.state, { node: 'c1', interface: 'eth1' }, 'cut');
    await expect(lab.run('c1', get)).rejects.toThrow();
    expect([await lab.run('n1', carrier), await lab.run('c1', carrier)]).toEqual(['1', '1']);
    expect((await labStatus(lab.state)).cut).toEqual(['n1:eth1', 'c1:eth1']);
    await setWire(lab.state, { node: 'n1', interface: 'eth1' }, 'whole');
    await eventually(async () => {
      expect((await lab.run('c1', get)).trim()).toBe('n1');
    });
    expect((await labStatus(lab.state)).cut).toEqual([]);
    await expect(setWire(lab.state, { node: 'c1', interface: 'eth9' }, 'cut')).rejects.toThrow(
      /no link end c1:eth9; it has n1:eth1, c1:eth1/,
    );
  });

  test('an unplugged link takes the carrier from both ends; a mended one gives it back', async () => {
    const carriers = async (): Promise<string[]> => [
      await lab.run('n1', ['cat', '/sys/class/net/eth1/carrier']),
      await lab.run('c1', ['cat', '/sys/class/net/eth1/carrier']),
    ];
    await setWire(lab.state, { node: 'n1', interface: 'eth1' }, 'unplugged');
    await eventually(async () => {
      expect(await carriers()).toEqual(['0', '0']);
    });
    expect((await labStatus(lab.state)).cut).toEqual(['n1:eth1', 'c1:eth1']);
    await setWire(lab.state, { node: 'c1', interface: 'eth1' }, 'whole');
    await eventually(async () => {
      expect(await carriers()).toEqual(['1', '1']);
    });
    expect((await labStatus(lab.state)).cut).toEqual([]);
  });

  test('the VIP server gives as many bytes as asked for, and counts those it gets', async () => {
    const url = 'http://198.51.100.7/';
    const size = '%{size_download}';
    const get = ['curl', '-s', '--max-time', '5', '-o', '/dev/null', '-w', size, `${url}bytes/100001`];
    expect(await lab.run('c1', get)).toBe('100001');
    const put = 'head -c 70001 /dev/zero | curl -s --max-time 5 -T - ' + url;
    expect((await lab.run('c1', ['sh', '-c', put])).trim()).toBe('70001');
  });

  test('status names processes, and says which are missing', async () => {
    const find = async (): Promise<unknown> =>
      (await labStatus(lab.state)).nodes.map(({ name, state, missing }) => ({ name, state, missing }));
    await eventually(async () => {
      expect(await find()).toEqual([
        { name: 'n1', state: 'running', missing: [] },
        { name: 'c1', state: 'running', missing: [] },
      ]);
    });
    // watchfrr would start another one within seconds: stop that first.
    await lab.run('n1', ['sh', '-c', 'kill -9 $(cat /run/frr/watchfrr.pid /run/frr/staticd.pid)']);
    await eventually(async () => {
      expect(await find()).toContainEqual({
        name: 'n1',
        state: 'degraded',
        missing: ['watchfrr', 'staticd'],
      });
    });
  });

  test('a second start is refused, and the first goes on', async () => {
    const { file } = lab.state;
    const topology = testTopology(pair('lifecycle'), file);
    await expect(labUp({ topology, file, onProgress: () => undefined, signal: never() })).rejects.toThrow(
      `run \`metallb-frr lab down ${LAB}\` first`,
    );
    expect((await lab.run('n1', ['hostname'])).trim()).toBe('n1');
  });

  test('another lab runs beside it', async () => {
    const file = join(dir, 'pair.clab.yml');
    const other = await startTopology(testTopology(pair('beside'), file), file);
    expect((await other.run('a', ['hostname'])).trim()).toBe('a');
    expect(await labNames()).toEqual(expect.arrayContaining([LAB, testName('beside')]));
    await labDown(testName('beside'));
    expect(await traces(testName('beside'))).toEqual([]);
    expect((await lab.run('n1', ['hostname'])).trim()).toBe('n1');
  });

  test('down ends everything, also after processes died and cables went', async () => {
    const { netns, init } = lab.state.nodes[0] ?? {};
    expect(await netnsPids(netns ?? '')).not.toEqual([]);
    process.kill(init?.pid ?? 0, 'SIGKILL');
    await eventually(async () => {
      expect((await labStatus(lab.state)).nodes[0]?.state).toBe('dead');
    });
    await deleteNetns(lab.state.wires);
    expect((await labStatus(lab.state)).cut).toEqual([]);
    await labDown(LAB);
    expect(await traces(LAB)).toEqual([]);
    await expect(labDown(LAB)).rejects.toThrow(`${LAB} is not up`);
  });
});

describeWithNetns('a start that fails', () => {
  test.each([
    {
      name: 'exec',
      exec: 'ip addr add nonsense dev eth1',
      want: /nodes\.b\.exec\[1\]: ip addr add nonsense dev eth1: Error/,
    },
    { name: 'no program', exec: 'no-such-program', want: /exec\[1\]: no-such-program: / },
  ])('$name: says which line and why, leaves nothing', async ({ exec, want }) => {
    const topology = testTopology(pair('fails', exec), '/x.clab.yml');
    await expect(
      labUp({ topology, file: '/x.clab.yml', onProgress: () => undefined, signal: never() }),
    ).rejects.toThrow(want);
    expect(await traces(topology.name)).toEqual([]);
  });

  test('a bind without source: says which, makes nothing', async () => {
    const text = pair('fails').replace(
      'exec: ["ip addr add 192.0.2.0',
      'binds: ["no/such:/x"], exec: ["ip addr add 192.0.2.0',
    );
    const topology = testTopology(text, '/dir/x.clab.yml');
    const progress: string[] = [];
    const onProgress = (line: string): number => progress.push(line);
    await expect(labUp({ topology, file: '/dir/x.clab.yml', onProgress, signal: never() })).rejects.toThrow(
      'topology.nodes.a.binds: no/such: no such file: /dir/no/such',
    );
    expect(progress).toEqual([]);
    expect(await traces(topology.name)).toEqual([]);
  });

  test("a namespace that is not the lab's own is left alone", async () => {
    await createNetns(`${testName('foreign')}.a`);
    atEnd(() => deleteNetns(`${testName('foreign')}.a`));
    const topology = testTopology(pair('foreign'), '/x.clab.yml');
    await expect(
      labUp({ topology, file: '/x.clab.yml', onProgress: () => undefined, signal: never() }),
    ).rejects.toThrow(`belong to no lab: ${testName('foreign')}.a`);
    expect(await traces(topology.name)).toEqual([`${testName('foreign')}.a`]);
  });

  // The steps as they are told; the test fails when a step is added or renamed, so that it is interrupted too.
  test.each([
    { step: 'making 2 nodes, 1 link' },
    { step: 'starting a, b' },
    { step: 'running the exec commands' },
  ])('interrupted while $step: leaves nothing', async ({ step }) => {
    const controller = new AbortController();
    const topology = testTopology(pair('aborted', 'sleep 20'), '/x.clab.yml');
    const seen: string[] = [];
    const onProgress = (line: string): void => {
      seen.push(line);
      if (line === `${topology.name}: ${step}`)
        setImmediate(() => {
          controller.abort(new Error('stop'));
        });
    };
    const { signal } = controller;
    await expect(labUp({ topology, file: '/x.clab.yml', onProgress, signal })).rejects.toThrow();
    expect(seen.at(-2)).toBe(`${topology.name}: ${step}`);
    expect(seen.at(-1)).toBe(`${topology.name}: removing what was made`);
    expect(await traces(topology.name)).toEqual([]);
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
