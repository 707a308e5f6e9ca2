import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import {
  addAddress,
  addVeth,
  createNetns,
  deleteNetns,
  ipIn,
  setLink,
  startFrr,
  type Frr,
  type FrrInstall,
} from '../../src/lab/index.ts';
import { eventually } from '../support/eventually.ts';

/**
 * A node and its routers on one LAN: every kind of BGP and BFD session that `bfd-status` reads, between real FRR daemons.
 *
 * ```
 *   node (AS 64512) --eth0--+-- bridge --+-- eth0 router (AS 64500)
 *                           |            +-- eth0 internal (AS 64512)
 *                           +--eth1----------eth1 router      unnumbered
 * ```
 */
export interface RecordingLab {
  readonly node: Frr;
  readonly router: Frr;
  readonly internal: Frr;
  /** Frames to and from the router are dropped on the LAN, without loss of carrier on any host; `false`: flow again. */
  cutRouter(cut: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Bridge port states of bridge(8). */
const DISABLED = '0';
const FORWARDING = '3';

const BFD_PROFILE = `bfd
 profile fast
  detect-multiplier 3
  transmit-interval 50
  receive-interval 50
 exit
 profile hops
  detect-multiplier 4
  transmit-interval 100
  receive-interval 150
  minimum-ttl 254
 exit
exit
`;

const NODE_CONFIG = `log stdout informational
log timestamp precision 3
hostname node
ip nht resolve-via-default
ipv6 nht resolve-via-default
debug bfd peer
ip route 203.0.113.2/32 192.0.2.2
route-map class-1 permit 10
 set tag 101
exit
route-map class-2 permit 10
 set tag 102
exit
route-map out permit 10
 match tag 101
 set community 64512:7 64512:100 additive
 set large-community 64512:1:2 additive
 set local-preference 150
exit
route-map out permit 20
 match tag 102
 set community no-export no-advertise local-AS graceful-shutdown blackhole no-peer additive
exit
route-map in deny 20
exit
router bgp 64512
 bgp router-id 192.0.2.1
 bgp log-neighbor-changes
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp graceful-restart preserve-fw-state
 neighbor 192.0.2.2 remote-as 64500
 neighbor 192.0.2.2 timers 30 90
 neighbor 192.0.2.2 timers connect 1
 neighbor 192.0.2.2 bfd
 neighbor 192.0.2.2 bfd profile fast
 neighbor 192.0.2.4 remote-as internal
 neighbor 192.0.2.4 timers connect 1
 neighbor 192.0.2.6 remote-as 64500
 neighbor 192.0.2.6 password correct-horse
 neighbor 192.0.2.6 timers connect 1
 neighbor 192.0.2.98 remote-as 64500
 neighbor 192.0.2.98 shutdown
 neighbor 192.0.2.99 remote-as 64500
 neighbor 192.0.2.99 timers connect 1
 neighbor 192.0.2.99 bfd
 neighbor 203.0.113.2 remote-as external
 neighbor 203.0.113.2 ebgp-multihop
 neighbor 203.0.113.2 update-source 203.0.113.1
 neighbor 203.0.113.2 timers connect 1
 neighbor 203.0.113.2 bfd
 neighbor 203.0.113.2 bfd profile hops
 neighbor 2001:db8::2 remote-as 64500
 neighbor 2001:db8::2 disable-connected-check
 neighbor 2001:db8::2 timers connect 1
 neighbor 2001:db8::2 bfd
 neighbor 2001:db8::2 bfd profile fast
 neighbor eth1 interface remote-as external
 neighbor eth1 timers connect 1
 address-family ipv4 unicast
  network 198.51.100.1/32 route-map class-1
  network 198.51.100.2/32 route-map class-2
  network 198.51.100.3/32
  neighbor 192.0.2.2 activate
  neighbor 192.0.2.2 route-map in in
  neighbor 192.0.2.2 route-map out out
  neighbor 192.0.2.4 activate
  neighbor 192.0.2.4 route-map in in
  neighbor 192.0.2.4 route-map out out
  neighbor 192.0.2.6 activate
  neighbor 192.0.2.98 activate
  neighbor 192.0.2.99 activate
  neighbor 203.0.113.2 activate
  neighbor 203.0.113.2 route-map in in
  neighbor 203.0.113.2 route-map out out
  neighbor eth1 activate
  neighbor eth1 route-map in in
  neighbor eth1 route-map out out
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:1::1/128 route-map class-1
  network 2001:db8:1::2/128 route-map class-2
  neighbor 2001:db8::2 activate
  neighbor 2001:db8::2 route-map in in
  neighbor 2001:db8::2 route-map out out
  neighbor eth1 activate
  neighbor eth1 route-map in in
  neighbor eth1 route-map out out
 exit-address-family
exit
router bgp 64512 vrf red
 bgp router-id 192.0.2.1
 no bgp default ipv4-unicast
 neighbor 192.0.2.50 remote-as 64500
 neighbor 192.0.2.50 bfd
 address-family ipv4 unicast
  neighbor 192.0.2.50 activate
 exit-address-family
exit
${BFD_PROFILE}`;

const ROUTER_CONFIG = `hostname router
ip route 203.0.113.1/32 192.0.2.1
router bgp 64500
 bgp router-id 192.0.2.2
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor 192.0.2.1 remote-as 64512
 neighbor 192.0.2.1 bfd
 neighbor 192.0.2.1 bfd profile fast
 neighbor 192.0.2.1 passive
 neighbor 203.0.113.1 remote-as 64512
 neighbor 203.0.113.1 ebgp-multihop
 neighbor 203.0.113.1 update-source 203.0.113.2
 neighbor 203.0.113.1 bfd
 neighbor 203.0.113.1 bfd profile hops
 neighbor 203.0.113.1 passive
 neighbor 2001:db8::1 remote-as 64512
 neighbor 2001:db8::1 bfd
 neighbor 2001:db8::1 bfd profile fast
 neighbor 2001:db8::1 passive
 neighbor eth1 interface remote-as external
 address-family ipv4 unicast
  neighbor 192.0.2.1 activate
  neighbor 203.0.113.1 activate
  neighbor eth1 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 2001:db8::1 activate
  neighbor eth1 activate
 exit-address-family
exit
${BFD_PROFILE}`;

const INTERNAL_CONFIG = `hostname internal
router bgp 64512
 bgp router-id 192.0.2.4
 no bgp default ipv4-unicast
 neighbor 192.0.2.1 remote-as 64512
 neighbor 192.0.2.1 passive
 address-family ipv4 unicast
  neighbor 192.0.2.1 activate
 exit-address-family
exit
`;

/**
 * Starts the lab with one FRR release. Sessions come up afterwards, but for the unnumbered one, which is up; wait for
 * what is needed.
 * @param parent folder for the instances' files; user frr must be able to reach it
 */
export async function startRecordingLab(install: FrrInstall, parent = '/run'): Promise<RecordingLab> {
  const dir = await mkdtemp(join(parent, 'rec-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  await chmod(dir, 0o755); // user frr passes through it
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const prefix = `${basename(dir)}-`; // as unique as the folder
    const names = {
      lan: `${prefix}lan`,
      node: `${prefix}node`,
      router: `${prefix}router`,
      internal: `${prefix}int`,
    };
    for (const name of Object.values(names)) {
      await createNetns(name);
      closers.push(() => deleteNetns(name));
    }
    await wire(names);
    const start = async (
      host: 'node' | 'router' | 'internal',
      configText: string,
      bgpPort: number,
    ): Promise<Frr> => {
      const frr = await startFrr({ install, dir: join(dir, host), netns: names[host], configText, bgpPort });
      closers.push(() => frr.stop());
      return frr;
    };
    const router = await start('router', ROUTER_CONFIG, 179);
    const internal = await start('internal', INTERNAL_CONFIG, 179);
    const node = await start('node', NODE_CONFIG, 0);
    await addUnnumberedBfd(node, router);
    return {
      ...{ node, router, internal, close },
      async cutRouter(cut) {
        const state = cut ? DISABLED : FORWARDING;
        await execa('bridge', ['-n', names.lan, 'link', 'set', 'dev', 'router', 'state', state], {
          timeout: 10_000,
        });
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * FRR 10.3 asks for an unnumbered neighbor's BFD session before it knows its own link-local address, more often than not,
 * and then neither BFD nor BGP come up ever. An established session has the address, on the side that says so: the other
 * may be a moment behind.
 */
async function addUnnumberedBfd(node: Frr, router: Frr): Promise<void> {
  await eventually(
    async () => {
      for (const frr of [node, router]) {
        const answer = await ask(frr, 'show bgp neighbors eth1 json');
        if (!answer.includes('"bgpState":"Established"')) throw new Error(`eth1 is not up: ${answer}`);
      }
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
  for (const [frr, asn] of [
    [router, 64500],
    [node, 64512],
  ] as const) {
    await configure(frr, [`router bgp ${asn}`, 'neighbor eth1 bfd', 'neighbor eth1 bfd profile fast']);
  }
}

/** What vtysh prints for a command, on either output, whatever its exit status. */
export async function ask(frr: Frr, command: string): Promise<string> {
  const [file = '', ...args] = frr.vtysh;
  const options = { all: true, reject: false, timeout: 30_000, stdin: 'ignore' } as const;
  const { all } = await execa(file, [...args, '-c', command], options);
  return all;
}

/** Types lines in configure mode. Throws with vtysh's words when it refuses one. */
export async function configure(frr: Frr, lines: readonly string[]): Promise<void> {
  const [file = '', ...args] = frr.vtysh;
  const words = ['configure terminal', ...lines].flatMap((line) => ['-c', line]);
  await execa(file, [...args, ...words], { timeout: 30_000, stdin: 'ignore' });
}

async function wire(names: Readonly<Record<'lan' | 'node' | 'router' | 'internal', string>>): Promise<void> {
  await ipIn(names.lan, ['link', 'add', 'br0', 'type', 'bridge']);
  await setLink(names.lan, 'br0', 'up');
  const addresses = {
    node: ['192.0.2.1/24', '2001:db8::1/64'],
    router: ['192.0.2.2/24', '192.0.2.6/24', '2001:db8::2/64'],
    internal: ['192.0.2.4/24'],
  };
  for (const host of ['node', 'router', 'internal'] as const) {
    await addVeth({
      a: { netns: names[host], interface: 'eth0', addresses: addresses[host] },
      b: { netns: names.lan, interface: host },
    });
    await ipIn(names.lan, ['link', 'set', 'dev', host, 'master', 'br0']);
  }
  await addVeth({
    a: { netns: names.node, interface: 'eth1' },
    b: { netns: names.router, interface: 'eth1' },
  });
  await addAddress(names.node, 'lo', '203.0.113.1/32');
  await addAddress(names.router, 'lo', '203.0.113.2/32');
}
