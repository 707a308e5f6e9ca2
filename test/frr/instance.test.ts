import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frrInstance, listNetns, netnsPids, startFrr } from '../../src/lab/index.ts';
import { describeWithFrr, eventually, startTestFrr, tempDir, testNetns } from '../support/index.ts';

const CONFIG = `ip nht resolve-via-default
router bgp 64512
 no bgp default ipv4-unicast
 neighbor 192.0.2.1 remote-as 64496
exit
bfd
 profile fast
  receive-interval 50
 exit
exit
ip route 203.0.113.0/24 Null0
`;

describeWithFrr('an FRR instance', (install) => {
  test('starts, answers, and leaves nothing when stopped', async () => {
    const dir = await tempDir();
    const frr = await startFrr({ install, dir, configText: CONFIG });
    const pids = [...(await frr.pids()).values()];
    try {
      expect([...(await frr.pids()).keys()]).toEqual(
        expect.arrayContaining(['zebra', 'bgpd', 'bfdd', 'staticd']),
      );
      expect(await frr.show('show version')).toContain(`FRRouting ${install.version} `);
      const running = await frr.show('show running-config');
      expect(running).toContain('neighbor 192.0.2.1 remote-as 64496');
      expect(running).toContain('receive-interval 50');
      // The kernel of the instance's own namespace holds the route, so zebra reaches it.
      await eventually(async () => {
        expect(await frr.show('show ip route 203.0.113.0/24')).toContain('unreachable (blackhole)');
      });
      expect(await netnsPids(frr.netns)).toEqual(expect.arrayContaining(pids));
    } finally {
      await frr.stop();
    }
    expect(await frr.pids()).toEqual(new Map());
    for (const pid of pids) expect(await processState(pid)).toMatch(/^(gone|zombie)$/);
    expect(await listNetns()).not.toContain(frr.netns);
  });

  test('runs its daemons as user frr', async () => {
    const frr = await startTestFrr({ install });
    const uid = /^frr:[^:]*:(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'))?.[1];
    const pids = await frr.pids();
    expect(pids.size).toBeGreaterThan(3);
    for (const [name, pid] of pids) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      expect(status, name).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, 'm'));
    }
  });

  test('has the fixed paths of FRR to itself', async () => {
    const frr = await startTestFrr({ install });
    for (const [name, pid] of await frr.pids()) {
      const mounts = (await readFile(`/proc/${pid}/mountinfo`, 'utf8'))
        .split('\n')
        .map((line) => line.split(' '));
      const sourceOf = (target: string): string | undefined =>
        mounts.find((fields) => fields[4] === target)?.[3];
      expect(sourceOf('/etc/frr'), name).toMatch(/\/mlf-[\w-]+\/etc$/);
      expect(sourceOf('/var/tmp'), name).toMatch(/\/mlf-[\w-]+\/tmp$/);
    }
    // Each daemon makes a folder for its crash log as it starts.
    const crashLogs = await readdir(join(frr.logDir, '../tmp/frr'));
    expect(crashLogs.map((folder) => folder.split('.')[0])).toEqual(
      expect.arrayContaining(['bgpd', 'zebra']),
    );
  });

  test('brings back a killed daemon with its configuration', async () => {
    const netns = await testNetns();
    const frr = await startTestFrr({ install, netns, configText: CONFIG });
    const first = (await frr.pids()).get('bgpd');
    await frr.killDaemon('bgpd');
    expect((await frr.pids()).has('bgpd')).toBe(false);
    await expect(frr.killDaemon('bgpd')).rejects.toThrow('bgpd is not running');

    await frr.startDaemon('bgpd');
    expect((await frr.pids()).get('bgpd')).not.toBe(first);
    expect(await frr.show('show running-config')).toContain('neighbor 192.0.2.1 remote-as 64496');
    await frr.stop();
    // A namespace that was given is not the instance's to remove.
    expect(await listNetns()).toContain(netns);
    expect(await netnsPids(netns)).toEqual([]);
  });

  test('is found again by its folder and does not start twice', async () => {
    const dir = await tempDir();
    const frr = await startFrr({ install, dir });
    try {
      const found = frrInstance({ install, dir });
      expect(await found.pids()).toEqual(await frr.pids());
      expect(found.netns).toBe(frr.netns);
      await expect(startFrr({ install, dir })).rejects.toThrow('daemons run there already');
      await found.stop();
      expect(await frr.pids()).toEqual(new Map());
    } finally {
      await frr.stop();
    }
  });

  test('two instances do not see each other', async () => {
    const a = await startTestFrr({ install, configText: 'router bgp 64496\n' });
    const b = await startTestFrr({ install, configText: 'router bgp 64497\n' });
    expect(await a.show('show running-config')).toMatch(/^router bgp 64496$/m);
    expect(await b.show('show running-config')).toMatch(/^router bgp 64497$/m);
  });

  test('refuses a line that FRR does not know, in its words, and leaves nothing running', async () => {
    const dir = await tempDir();
    const netns = await testNetns();
    const start = startFrr({ install, dir, netns, configText: 'router bgp 64496\nno such line\n' });
    await expect(start).rejects.toThrow(/line 2: % Unknown command.*: no such line/);
    expect(await netnsPids(netns)).toEqual([]);
  });

  test('says why a daemon did not start', async () => {
    const dir = await tempDir();
    const start = startFrr({ install, dir, bgpdArgs: ['--no-such-option'] });
    await expect(start).rejects.toThrow(/bgpd did not start: .*unrecognized option '--no-such-option'/s);
  });

  test('refuses a folder whose path leaves no room for socket names', async () => {
    const dir = join('/run', 'x'.repeat(80));
    await expect(startFrr({ install, dir })).rejects.toThrow(`${dir.length} bytes, at most`);
  });
});

/** A process that has ended stays a zombie until its parent, here init, has looked. */
async function processState(pid: number): Promise<'gone' | 'zombie' | 'alive'> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (stat === '') return 'gone';
  return stat.includes(') Z ') ? 'zombie' : 'alive';
}
