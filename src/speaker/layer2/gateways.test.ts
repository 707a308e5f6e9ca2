import { describe, expect, test } from 'vitest';
import { ip } from '../../core/test-ip.ts';
import { decodeFrame, parseMac, type Link } from '../../l2/index.ts';
import { createGateways } from './gateways.ts';

const MAC = '00:00:5e:00:53:01';

function linkTo(...gateways: readonly string[]): Link {
  return {
    ...{ name: 'eth1', index: 2, mac: MAC, isUp: true, isBroadcast: true, hasArp: true, hasMaster: false },
    addresses: [
      { ip: ip('192.0.2.11'), length: 24 },
      { ip: ip('fe80::1'), length: 64 },
    ],
    defaultRoutes: ['ipv4'],
    gateways: gateways.map(ip),
  };
}

/** The gateways of a node, and what it sent. */
function gatewaysOf(...gateways: readonly string[]): {
  readonly gateways: ReturnType<typeof createGateways>;
  readonly sent: Uint8Array[];
} {
  const sent: Uint8Array[] = [];
  const mac = parseMac(MAC);
  if (mac === undefined) throw new Error(`${MAC} is no hardware address`);
  const made = createGateways((_link, frames) => {
    sent.push(...frames({ mac, linkLocal: ip('fe80::1') }));
  });
  made.set([linkTo(...gateways)]);
  return { gateways: made, sent };
}

describe('gateways', () => {
  test('are asked in the name of this node, each in its family', () => {
    const { gateways, sent } = gatewaysOf('192.0.2.1', 'fe80::99');
    gateways.ask('eth1', 1_000);
    gateways.ask('eth9', 1_000);
    expect(sent.map((frame) => decodeFrame(frame))).toMatchObject([
      { kind: 'arp', operation: 'request' },
      { kind: 'ns' },
    ]);
  });

  test('have answered when they are heard after a question, and only then', () => {
    const { gateways } = gatewaysOf('192.0.2.1');
    gateways.hear('eth1', 'reply', 500);
    expect([gateways.heardAt(), gateways.answeredAt('eth1')]).toEqual([500, undefined]);
    gateways.ask('eth1', 10_000);
    gateways.hear('eth1', 'reply', 10_002);
    expect([gateways.heardAt(), gateways.answeredAt('eth1')]).toEqual([10_002, 10_002]);
    gateways.hear('eth1', 'reply', 11_001);
    expect([gateways.heardAt(), gateways.answeredAt('eth1')]).toEqual([11_001, 10_002]);
  });

  test('are not heard of in what another speaker asks about them', () => {
    const { gateways } = gatewaysOf('192.0.2.1');
    gateways.ask('eth1', 1_000);
    gateways.hear('eth1', 'probe', 1_001);
    expect([gateways.heardAt(), gateways.answeredAt('eth1')]).toEqual([-Infinity, undefined]);
    gateways.hear('eth1', 'use', 1_002);
    expect([gateways.heardAt(), gateways.answeredAt('eth1')]).toEqual([1_002, 1_002]);
  });

  test('that are new have never answered', () => {
    const { gateways } = gatewaysOf('192.0.2.1');
    gateways.ask('eth1', 1_000);
    gateways.hear('eth1', 'reply', 1_001);
    gateways.set([linkTo('192.0.2.1')]);
    expect(gateways.answeredAt('eth1')).toBe(1_001);
    gateways.set([linkTo('192.0.2.2')]);
    expect(gateways.answeredAt('eth1')).toBeUndefined();
  });

  test('are remembered while the cable is out, and asked as soon as it is back', () => {
    const { gateways, sent } = gatewaysOf('192.0.2.1');
    gateways.askAgain(false, 1_000);
    gateways.hear('eth1', 'reply', 1_001);
    gateways.set([]);
    expect(gateways.answeredAt('eth1')).toBeUndefined();
    gateways.set([linkTo('192.0.2.1')]);
    expect(gateways.answeredAt('eth1')).toBe(1_001);
    gateways.askAgain(false, 2_000);
    expect(sent).toHaveLength(2);
  });

  test('are remembered while the route to them is away, and say nothing then', () => {
    const { gateways } = gatewaysOf('192.0.2.1');
    gateways.ask('eth1', 1_000);
    gateways.hear('eth1', 'reply', 1_001);
    gateways.set([linkTo()]);
    expect(gateways.answeredAt('eth1')).toBeUndefined();
    gateways.set([linkTo('192.0.2.1')]);
    expect(gateways.answeredAt('eth1')).toBe(1_001);
  });

  test('are asked again after half a minute, and five times a second when it is urgent', () => {
    const { gateways, sent } = gatewaysOf('192.0.2.1');
    for (let now = 0; now < 60_000; now += 50) {
      gateways.askAgain(false, now);
      gateways.hear('eth1', 'reply', now);
    }
    expect(sent).toHaveLength(2);
    for (let now = 60_000; now < 61_000; now += 50) gateways.askAgain(true, now);
    expect(sent).toHaveLength(7);
  });

  test('that do not answer are asked five times within four seconds, and then as seldom as the others', () => {
    const { gateways, sent } = gatewaysOf('192.0.2.1');
    for (let now = 0; now <= 4_000; now += 50) gateways.askAgain(false, now);
    expect(sent).toHaveLength(5);
    for (let now = 4_050; now < 60_000; now += 50) gateways.askAgain(false, now);
    expect(sent).toHaveLength(6);
  });
});
