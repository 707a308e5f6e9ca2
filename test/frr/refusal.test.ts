import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { createNodeReconciler, type BgpDesiredState } from '../../src/reconciler/index.ts';
import {
  advertisement,
  bfdProfile,
  nodeInput,
  peer,
  pool,
  service,
  slice,
} from '../../src/reconciler/test-objects.ts';
import type { Frr } from '../../src/lab/index.ts';
import { describeWithFrr, startTestFrr } from '../support/index.ts';
import { driveFrr, missing, render, type DrivenFrr } from './node.ts';

const PASSWORD = 'n0b0dy-may-see-th1s';
const TOR = peer('tor', '192.0.2.1', { password: new Secret(PASSWORD) });
const SPINE = peer('spine', '192.0.2.2', { password: new Secret(PASSWORD) });

/** FRR refuses a local ASN that is the router's own. */
const REFUSED_SPINE = { ...SPINE, localAsn: 64496 };

type Input = Parameters<typeof nodeInput>[0];

function state(addresses: readonly string[], rest: Input = {}): BgpDesiredState {
  const services = addresses.map((address) => service(`s-${address}`, [address]));
  const endpointSlices = services.map(({ metadata }) => slice(metadata.name, [{}]));
  return createNodeReconciler()(nodeInput({ services, endpointSlices, peers: [TOR, SPINE], ...rest })).bgp;
}

function withExtras(addresses: readonly string[], frrExtras: string, rest: Input = {}): BgpDesiredState {
  return { ...state(addresses, rest), extras: frrExtras };
}

const NET = (address: string): string => `network ${address}/32 route-map`;

describeWithFrr('what FRR refuses', (install) => {
  let frr: Frr;
  let driven: DrivenFrr;

  beforeAll(async () => {
    frr = await startTestFrr({ install });
    driven = driveFrr(frr);
  });

  async function settled(bgp: BgpDesiredState, problems: readonly RegExp[]): Promise<void> {
    driven.want(bgp);
    await driven.idle();
    expect(driven.problems()).toEqual(problems.map((form) => expect.stringMatching(form) as string));
    expect(driven.last()?.applied).toBe(true);
  }

  test('junk in the extras: their last good version stays, all else goes on', async () => {
    const good = withExtras(['198.51.100.1'], 'ip prefix-list users permit 203.0.113.0/24\n');
    await settled(good, []);
    const bad = withExtras(
      ['198.51.100.1', '198.51.100.2'],
      'ip prefix-list users permit 203.0.113.0/24\nbogus extras\n',
    );
    await settled(bad, [
      /^ConfigMap metallb-system\/bgpextras: data\.extras: FRR refuses "bogus extras": Unknown command: bogus extras; the last good version stays in use$/,
    ]);
    const running = await frr.show('show running-config');
    expect(running).toContain(NET('198.51.100.1'));
    expect(running).toContain(NET('198.51.100.2'));
    expect(running).toContain('ip prefix-list users seq 5 permit 203.0.113.0/24');
    expect(readFileSync(frr.configFile, 'utf8')).toBe(render({ ...bad, extras: good.extras }));

    // Other changes pass while they stay refused, and an edit is tried at once.
    await settled(withExtras(['198.51.100.3'], bad.extras), [/bogus extras/]);
    expect(await frr.show('show running-config')).toContain(NET('198.51.100.3'));
    await settled(withExtras(['198.51.100.3'], '! nothing\n'), []);
    expect(await frr.show('show running-config')).not.toContain('ip prefix-list');
  });

  test('extras that fail as a transaction, which names no line', async () => {
    const extras = [
      'ip prefix-list users seq 5 permit 203.0.113.0/24',
      'ip prefix-list users seq 10 permit 203.0.113.0/24 ge 8',
      ...Array.from(
        { length: 30 },
        (_, index) => `ip prefix-list users seq ${20 + index} permit 10.${index}.0.0/16`,
      ),
    ];
    await settled(withExtras(['198.51.100.1'], `${extras.join('\n')}\n`), [
      /bgpextras: data\.extras: .*Invalid prefix range/,
    ]);
    expect(await frr.show('show running-config')).not.toContain('ip prefix-list');
  });

  test('extras that take a statement of ours away are to blame, not the peer', async () => {
    const multihop = { ...TOR, ebgpMultiHop: true };
    const before = state(['198.51.100.1'], { peers: [multihop] });
    await settled(before, []);
    const extras = 'router bgp 64496\n neighbor 192.0.2.1 ttl-security hops 1\n';
    await settled(withExtras(['198.51.100.1'], extras, { peers: [multihop] }), [
      /bgpextras: data\.extras: FRR refuses/,
    ]);
    expect(await missing(frr, render(before))).toEqual([]);
  });

  test('a statement of a peer: its last good version stays, the other peer and Services go on', async () => {
    await settled(state(['198.51.100.1']), []);
    const bad = state(['198.51.100.1', '198.51.100.4'], { peers: [TOR, REFUSED_SPINE] });
    await settled(bad, [
      /^BGPPeer metallb-system\/spine: spec: FRR refuses "neighbor 192\.0\.2\.2 local-as 64496 no-prepend replace-as": Cannot have local-as same as BGP AS number; the last good version stays in use$/,
    ]);
    expect(await missing(frr, render(state(['198.51.100.1', '198.51.100.4'])))).toEqual([]);
  });

  test('a peer that was never good is left out', async () => {
    const third = { ...REFUSED_SPINE, name: 'third', endpoint: peer('x', '192.0.2.3').endpoint };
    const bgp = state(['198.51.100.1'], { peers: [TOR, SPINE, third] });
    await settled(bgp, [/BGPPeer metallb-system\/third: spec: FRR refuses/]);
    const routers = bgp.routers.map((router) => ({
      ...router,
      neighbors: router.neighbors.filter(({ name }) => name !== 'third'),
    }));
    expect(await missing(frr, render({ ...bgp, routers }))).toEqual([]);
    await settled(state(['198.51.100.1']), []);
  });

  test('a line with a password, and the password is not shown', async () => {
    const extras = `router bgp 64496\n neighbor 203.0.113.9 password ${PASSWORD}\n`;
    await settled(withExtras(['198.51.100.1'], extras), [
      /FRR refuses "neighbor 203\.0\.113\.9 password \[redacted\]": Specify remote-as or peer-group commands first;/,
    ]);
    await settled(state(['198.51.100.1']), []);
  });

  test('two parts at once, each with its words', async () => {
    await settled(state(['198.51.100.1']), []);
    const bgp = withExtras(['198.51.100.1'], 'router bgp 64496\n bogus here\n', {
      peers: [TOR, REFUSED_SPINE],
      config: { bfdProfiles: [bfdProfile('bad', { receiveIntervalMs: 5 })] },
    });
    await settled(bgp, [
      /bgpextras: data\.extras: .*"bogus here"/,
      /BGPPeer .*spine/,
      /BFDProfile .*bad: spec: .*"receive-interval 5"/,
    ]);
    await settled(state(['198.51.100.1']), []);
  });

  test('among a thousand lines', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const bad = state([], { peers: [TOR, REFUSED_SPINE] });
    const good = state([]);
    const originated = manyPrefixes(many);
    const withMany = (bgp: BgpDesiredState): BgpDesiredState => ({
      ...bgp,
      routers: bgp.routers.map((router) => ({ ...router, originated })),
    });
    await settled(withMany(bad), [
      /BGPPeer metallb-system\/spine: .*Cannot have local-as same as BGP AS number/,
    ]);
    expect(await missing(frr, render(withMany(good)))).toEqual([]);
    await settled(good, []);
  });

  test('and nowhere a password', () => {
    const said = driven.said();
    expect(said.includes('[redacted]')).toBe(true);
    expect(said.includes(PASSWORD)).toBe(false);
  });
});

function manyPrefixes(addresses: readonly string[]): BgpDesiredState['routers'][number]['originated'] {
  const services = addresses.map((address) => service(`s-${address}`, [address]));
  const endpointSlices = services.map(({ metadata }) => slice(metadata.name, [{}]));
  const { bgp } = createNodeReconciler()(
    nodeInput({
      services,
      endpointSlices,
      advertisements: [advertisement('all')],
      config: { pools: [pool('pool', '10.0.0.0/8')] },
    }),
  );
  return bgp.routers[0]?.originated ?? [];
}
