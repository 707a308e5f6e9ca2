/** Objects that the schemas of the chart take, and ones that they refuse: in our own reading of them and by an API server. */

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** An object of ours with this spec. */
export function at(kind: string, spec: object, version = 'v1beta1'): Manifest & { readonly spec: object } {
  return { apiVersion: `metallb.io/${version}`, kind, metadata: { name: 'one' }, spec };
}

/** A BGPPeer of either version. */
export const peer = { myASN: 64500, peerASN: 64496, peerAddress: '192.0.2.1' };

const selects = (requirement: object): object => ({ nodeSelectors: [{ matchExpressions: [requirement] }] });

/** Forms that are easily forgotten: empty texts, nulls, blanks, signs, both micro signs. */
export const ACCEPTED = [
  at('IPAddressPool', { addresses: ['198.51.100.1 - 198.51.100.9', '2001:db8::/64', '\u00a0::1-::2\t'] }),
  at('IPAddressPool', { addresses: ['192.0.2.0/24'], serviceAllocation: { priority: -1 } }),
  at(
    'BGPPeer',
    { ...peer, holdTime: '+1m30.5s', keepaliveTime: '.5s', routerID: '', bfdProfile: '' },
    'v1beta2',
  ),
  at('BGPPeer', { ...peer, holdTime: '90000000µs', connectTime: '1000000μs', vrf: '' }, 'v1beta2'),
  at('BGPPeer', { ...peer, holdTime: '0', peerPort: null, passwordSecret: {} }, 'v1beta2'),
  at('BGPPeer', { ...peer, peerPort: 0, holdTime: '0s', keepaliveTime: '0s' }),
  at('BGPPeer', { ...peer, ...selects({ key: 'a', operator: 'Exists' }) }),
  at('BGPPeer', { ...peer, ...selects({ key: 'example.com/a', operator: 'NotIn', values: [''] }) }),
  at('BGPAdvertisement', selects({ key: 'a', operator: 'DoesNotExist', values: [] })),
  at('BGPAdvertisement', { communities: ['an alias', '64496:1', 'large:64496:1:2'] }),
  at('L2Advertisement', { interfaces: ['no interface has this name'] }),
  at('L2Advertisement', { balance: true, failback: 'AfterStable', failbackDelay: '1m30s' }),
  at('L2Advertisement', { failback: 'Immediate', announceInterval: '0' }),
  at('Community', { communities: [{ value: '0064496:1' }, { name: 'b', value: 'large:4294967295:0:1' }] }),
];

export const REFUSED = [
  at('IPAddressPool', { addresses: [] }),
  at('IPAddressPool', { addresses: ['192.0.2.1'] }),
  at('IPAddressPool', { addresses: ['192.0.2.1-'] }),
  at('IPAddressPool', { addresses: ['tor1'] }),
  at('BGPPeer', { ...peer, holdTime: '90' }, 'v1beta2'),
  at('BGPPeer', { ...peer, holdTime: '' }, 'v1beta2'),
  at('BGPPeer', { ...peer, peerPort: 0 }, 'v1beta2'),
  at('BGPPeer', { ...peer, interface: 'eth0; exit' }, 'v1beta2'),
  at('BGPPeer', { ...peer, bfdProfile: 'Fast' }, 'v1beta2'),
  at('BGPPeer', { ...peer, dynamicASN: '' }, 'v1beta2'),
  at('BGPPeer', { ...peer, vrf: 'red' }),
  at('BGPPeer', { myASN: 64500, peerAddress: '192.0.2.1' }),
  at('BGPPeer', { ...peer, ...selects({ key: 'a', operator: 'In', values: [] }) }),
  at('BGPPeer', { ...peer, ...selects({ key: 'a', operator: 'Exists', values: ['b'] }) }),
  at('BGPPeer', { ...peer, ...selects({ key: 'a', operator: 'in', values: ['b'] }) }),
  at('BGPPeer', { ...peer, ...selects({ key: '-a', operator: 'Exists' }) }),
  at('BGPAdvertisement', { nodeSelectors: [{ matchLabels: { a: 'b c' } }] }),
  at('BGPAdvertisement', { aggregationLength: 33 }),
  at('L2Advertisement', { preferredNodeSelectors: [{ weight: 0, preference: {} }] }),
  at('L2Advertisement', { preferredNodeSelectors: [{ weight: 1 }] }),
  at('L2Advertisement', { failback: 'never' }),
  at('L2Advertisement', { failback: 'AfterStable', failbackDelay: '5' }),
  at('L2Advertisement', { announceInterval: 60 }),
  at('L2Advertisement', { balance: 'true' }),
  at('Community', { communities: [{ name: 'a', value: 'no-export' }] }),
  at('BFDProfile', { echoInterval: 5 }),
];
