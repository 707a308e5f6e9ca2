import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { eventually } from '../support/index.ts';
import {
  buildImages,
  CAPABILITIES,
  describeWithPodman,
  FRR_IMAGE,
  makePod,
  OWN_IMAGE,
  podman,
  runContainer,
  startContainer,
  type Pod,
} from './support.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

describeWithPodman('container images', () => {
  let printed = '';

  // The first time it makes a base from Debian's packages.
  beforeAll(async () => {
    printed = await buildImages();
  }, 600_000);

  test('are named in a table with their sizes', () => {
    const names = printed.split('\n').map((line) => line.split(/ {2,}/)[0]);
    expect(names).toEqual(['IMAGE', OWN_IMAGE, FRR_IMAGE, 'together']);
  });

  describe('metallb-frr', () => {
    const asNobody = (...command: string[]): Promise<string> =>
      runContainer({ image: OWN_IMAGE, command, options: ['--volume', `${EXAMPLES}:/examples:ro`] });

    test('runs as nobody', async () => {
      const image = { image: OWN_IMAGE, options: ['--entrypoint', 'id'] };
      expect(await runContainer({ ...image, command: ['-u'] })).toBe('65534');
    });

    test('prints its version and help', async () => {
      expect(await asNobody('--version')).toBe(packageJson.version);
      expect(await asNobody('--help')).toMatch(/^Usage: metallb-frr .*\n[^]*controller[^]*speaker/);
    });

    test('finds its template', async () => {
      const text = await asNobody('render', '-f', '/examples/custom-resources', '--node', 'n1');
      expect(text).toContain('\nhostname n1\n');
    });

    test('opens raw sockets, as the speaker does', async () => {
      const script = `
        const { interfaceIndex, open } = require('/opt/metallb-frr/build/rawsock.node');
        const all = Uint32Array.of(0x06, 0, 0, 0x40000);
        open(interfaceIndex('lo'), 0x0806, all, 65536, () => {}, () => {});
        const { createRequire } = require('node:module');
        const raw = createRequire('/opt/metallb-frr/dist/cli/main.mjs')('raw-socket');
        raw.createSocket({ protocol: raw.Protocol.ICMPv6, addressFamily: raw.AddressFamily.IPv6 });
        console.log('open');
        process.exit(0);`;
      const run = {
        image: OWN_IMAGE,
        command: ['-e', script],
        options: ['--user', 'root', '--entrypoint', 'node'],
      };
      expect(await runContainer({ ...run, capabilities: CAPABILITIES.speaker })).toBe('open');
      await expect(runContainer(run)).rejects.toThrow(/EPERM/);
    });

    test('has `ip` for the interfaces of the node, and no compiler', async () => {
      const shell = { image: OWN_IMAGE, options: ['--entrypoint', 'sh'] };
      const links = await runContainer({ ...shell, command: ['-c', 'ip -json link show lo'] });
      expect(JSON.parse(links)).toMatchObject([{ ifname: 'lo' }]);
      const compilers = 'for each in cc gcc g++ make python3; do command -v $each; done; true';
      expect(await runContainer({ ...shell, command: ['-c', compilers] })).toBe('');
    });

    test('is compiled for the users it runs as', async () => {
      for (const user of ['root', 'nobody']) {
        const options = ['--user', user, '--env', 'NODE_DEBUG_NATIVE=COMPILE_CACHE', '--entrypoint', 'sh'];
        const command = ['-c', 'metallb-frr --version 2>&1'];
        const words = await runContainer({ image: OWN_IMAGE, command, options });
        expect(words, user).toMatch(/main\.mjs was accepted/);
      }
    });
  });

  describe('frr beside a speaker', () => {
    const name = `mlf-images-${process.pid}`;
    let pod: Pod;

    const inFrr = async (...command: string[]): Promise<string> =>
      (await podman(['exec', name, ...command])).stdout;
    /** Root without any capability: vtysh needs less than the speaker has. */
    const asSpeaker = (command: readonly string[], input = ''): Promise<string> => {
      const [program = '', ...rest] = command;
      const options = ['--user', 'root', '--entrypoint', program, ...pod.volumes];
      return runContainer({ image: OWN_IMAGE, command: rest, options, input });
    };
    const vtysh = (command: string): Promise<string> => asSpeaker(['vtysh', '-c', command]);
    const pidOf = async (daemon: string): Promise<string> =>
      (await readFile(join(pod.folder, 'run', `${daemon}.pid`), 'utf8')).trim();
    const allUp = (): Promise<void> =>
      eventually(
        async () => {
          const daemons = (await vtysh('show daemons')).trim().split(/\s+/).sort();
          expect(daemons).toEqual(['bfdd', 'bgpd', 'staticd', 'watchfrr', 'zebra']);
        },
        { timeoutMs: 20_000 },
      );
    /** In one step, as the speaker does it. */
    const writeConfig = (text: string): Promise<string> => {
      const script = 'umask 077; cat >/etc/frr/.new; mv /etc/frr/.new /etc/frr/frr.conf';
      return asSpeaker(['sh', '-c', script], text);
    };
    const configFor = (asn: number): string =>
      [
        ...['frr defaults traditional', 'log stdout informational', 'service integrated-vtysh-config'],
        ...['ip route 198.51.100.0/24 blackhole', `router bgp ${asn}`],
        ...[' neighbor 192.0.2.1 remote-as 64511', ' neighbor 192.0.2.1 bfd', 'bfd', ' peer 192.0.2.9', ''],
      ].join('\n');
    const isLoaded = (asn: number): Promise<void> =>
      eventually(
        async () => {
          const running = await vtysh('show running-config');
          expect(running).toContain(`\nrouter bgp ${asn}\n neighbor 192.0.2.1 remote-as 64511\n`);
          expect(running).toContain('\nip route 198.51.100.0/24 blackhole\n');
          expect(running).toContain('\n peer 192.0.2.9\n');
        },
        { timeoutMs: 20_000 },
      );

    beforeAll(async () => {
      pod = await makePod();
      await startContainer(name, {
        ...{ image: FRR_IMAGE, options: pod.volumes, capabilities: CAPABILITIES.frr },
      });
      await allUp();
    }, 60_000);

    test('answers the vtysh of both images, which is of its own version', async () => {
      const version = /^FRRouting \S+/;
      const own = version.exec(await inFrr('vtysh', '-c', 'show version'))?.[0];
      expect(own).toBeDefined();
      expect(version.exec(await vtysh('show version'))?.[0]).toBe(own);
    });

    test('listens to BGP and to nothing else', async () => {
      await writeConfig(configFor(64_496));
      await asSpeaker(['vtysh', '-b']);
      await isLoaded(64_496);
      const sockets = (await inFrr('cat', '/proc/net/tcp', '/proc/net/tcp6')).split('\n');
      const listening = sockets.filter((line) => line.includes(' 0A '));
      const ports = listening.map((line) => Number.parseInt(/:([0-9A-F]{4}) /.exec(line)?.[1] ?? '', 16));
      expect([...new Set(ports)]).toEqual([179]);
    });

    test('a daemon that is killed comes back and loads what was written last', async () => {
      await writeConfig(configFor(64_497));
      const before = await pidOf('bgpd');
      await inFrr('sh', '-c', `kill -KILL ${before}`);
      await isLoaded(64_497);
      expect(await pidOf('bgpd')).not.toBe(before);
      await allUp();
    });

    test('ends in time when it is told to, with its log on standard output', async () => {
      const started = performance.now();
      await podman(['stop', '--time', '30', name]);
      expect(performance.now() - started).toBeLessThan(10_000);
      const { stdout } = await podman(['inspect', '--format', '{{.State.ExitCode}}', name]);
      expect(stdout).toBe('0');
      const { all } = await podman(['logs', name]);
      expect(all).toMatch(/BGP: .*Terminating on signal/);
      expect(all).toMatch(/ZEBRA: .*Zebra final shutdown/);
    });

    test('another container loads what was written in the meantime', async () => {
      await writeConfig(configFor(64_498));
      await podman(['start', name]);
      await isLoaded(64_498);
      await allUp();
    });

    test('another container does so after the first was killed', async () => {
      await writeConfig(configFor(64_499));
      await podman(['kill', '--signal', 'KILL', name]);
      await podman(['wait', name]);
      await podman(['start', name]);
      await isLoaded(64_499);
      await allUp();
    });

    test('with graceful restart bgpd vanishes without a word, so that routers keep its routes', async () => {
      await writeConfig(configFor(64_500).replace(/ bfd\n/, ' bfd\n neighbor 192.0.2.1 graceful-restart\n'));
      const started = new Date().toISOString();
      await podman(['stop', '--time', '30', name]);
      const { all } = await podman(['logs', '--since', started, name]);
      expect(all).toMatch(/ZEBRA: .*Zebra final shutdown/);
      expect(all).not.toMatch(/BGP: .*Terminating on signal/);
    });

    test('what fills the folders leaves what it finds', async () => {
      const file = join(pod.folder, 'etc/frr.conf');
      const before = [await readFile(file, 'utf8'), (await stat(file)).mode];
      const options = { image: FRR_IMAGE, options: pod.volumes, capabilities: CAPABILITIES.frr };
      await runContainer({ ...options, command: ['frr-init'] });
      expect([await readFile(file, 'utf8'), (await stat(file)).mode]).toEqual(before);
    });
  });
});
