import { expect, test } from 'vitest';
import { parseBirdSessions, parseFrrSessions, parseGobgpSessions } from './sessions.ts';

function frrPeer(more: object): object {
  return { remoteAs: 64500, localAs: 64496, msgRcvd: 4, peerUptimeMsec: 0, pfxRcd: 0, pfxSnt: 0, ...more };
}

test('reads FRR: families of one peer add up, VRFs follow each other', () => {
  const up = { state: 'Established', peerUptimeMsec: 16_900 };
  const text = JSON.stringify({
    default: {
      ipv4Unicast: {
        routerId: '192.0.2.1',
        as: 64496,
        peers: {
          eth1: frrPeer({ ...up, pfxRcd: 2, pfxSnt: 1 }),
          '192.0.2.11': frrPeer({ state: 'Active' }),
        },
      },
      ipv6Unicast: { peers: { eth1: frrPeer({ ...up, pfxRcd: 3 }) } },
      totalPeers: 2,
    },
    red: { warning: 'Default BGP instance not found' },
  });
  expect(parseFrrSessions(text)).toEqual([
    { peer: '192.0.2.11', remoteAsn: 64500, state: 'Active', received: 0, sent: 0 },
    { peer: 'eth1', remoteAsn: 64500, state: 'Established', uptimeSeconds: 16, received: 5, sent: 1 },
  ]);
  expect(parseFrrSessions('{}')).toEqual([]);
});

test('throws on an answer of FRR in another shape', () => {
  expect(() => parseFrrSessions('% Unknown command')).toThrow();
  expect(() =>
    parseFrrSessions('{"default":{"ipv4Unicast":{"peers":{"192.0.2.1":{"remoteAs":"x"}}}}}'),
  ).toThrow();
});

// As BIRD 2.0.12 prints it, shortened.
const BIRD = `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     10:05:37.696

kernel1    Kernel     master4    up     10:05:37.696
  Channel ipv4
    Routes:         0 imported, 1 exported, 0 preferred

n1         BGP        ---        up     10:06:39.971  Established
  BGP state:          Established
    Neighbor address: 192.0.2.1
    Neighbor AS:      64500
    Local AS:         64497
    Session:          external AS4
  Channel ipv4
    State:          UP
    Routes:         4 imported, 3 exported, 4 preferred
  Channel ipv6
    State:          UP
    Routes:         2 imported, 1 filtered, 5 exported, 2 preferred

n2         BGP        ---        start  10:06:35.000  Active        Socket: Connection refused
  BGP state:          Active
    Neighbor address: 2001:db8::3
    Neighbor AS:      64501
  Channel ipv4
    State:          DOWN
`;

test('reads BIRD: channels of one protocol add up, other protocols are no sessions', () => {
  expect(parseBirdSessions(BIRD)).toEqual([
    { peer: '192.0.2.1', remoteAsn: 64500, state: 'Established', received: 6, sent: 8 },
    { peer: '2001:db8::3', remoteAsn: 64501, state: 'Active', received: 0, sent: 0 },
  ]);
});

test('reads GoBGP: a state is a number, and zeros are left out', () => {
  const text = JSON.stringify([
    {
      conf: { local_asn: 64498, neighbor_address: '192.0.2.3', peer_asn: 64500 },
      state: { peer_asn: 64500, session_state: 6 },
      timers: { state: { uptime: { seconds: 1_700_000_000 } } },
      afi_safis: [{ state: { received: 2, accepted: 2 } }, { state: { received: 1, advertised: 4 } }],
    },
    { conf: { neighbor_address: '192.0.2.1' }, state: { session_state: 3 }, afi_safis: [{ state: {} }] },
  ]);
  expect(parseGobgpSessions(text, 1_700_000_042_500)).toEqual([
    { peer: '192.0.2.1', remoteAsn: 0, state: 'Active', received: 0, sent: 0 },
    { peer: '192.0.2.3', remoteAsn: 64500, state: 'Established', uptimeSeconds: 42, received: 3, sent: 4 },
  ]);
});
