import type { z } from 'zod';
import { bfdProfileSchema } from '../bfd-profile.ts';
import { bgpAdvertisementSchema } from '../bgp-advertisement.ts';
import { bgpPeerSchema, bgpPeerV1beta1Schema } from '../bgp-peer.ts';
import { communitySchema } from '../community.ts';
import { ipAddressPoolSchema } from '../ip-address-pool.ts';
import { l2AdvertisementSchema } from '../l2-advertisement.ts';
import { configurationStateStatus, poolStatus, serviceBgpStatus, serviceL2Status } from './statuses.ts';

/** What `kubectl get` shows of an object: `Name type path`, with a priority when it is shown by `-o wide` only. */
export type Column = readonly [name: string, type: string, jsonPath: string, priority?: number];

export interface Part {
  /** A sentence. */
  readonly description: string;
  /** Absent: an object of which nothing is known. */
  readonly schema?: z.ZodType;
}

export interface CrdVersion {
  readonly name: string;
  readonly description: string;
  /** Absent: it is served without a warning. */
  readonly deprecationWarning?: string;
  readonly columns: readonly Column[];
  readonly spec?: Part;
  readonly status: Part;
}

export interface CrdKind {
  readonly kind: string;
  readonly plural: string;
  /** Lines at the top of the file. */
  readonly comment?: string;
  /** The version that is stored is the last. */
  readonly versions: readonly CrdVersion[];
}

const UNUSED: Part = { description: 'Not used.' };
const EMPTY: Part = { description: 'Always empty.' };

const POOLS: readonly Column[] = [
  ['IPAddressPools', 'string', '.spec.ipAddressPools'],
  ['IPAddressPool Selectors', 'string', '.spec.ipAddressPoolSelectors'],
];
const NODE_SELECTORS: Column = ['Node Selectors', 'string', '.spec.nodeSelectors', 10];
const PEER: readonly Column[] = [
  ['Address', 'string', '.spec.peerAddress'],
  ['ASN', 'string', '.spec.peerASN'],
  ['BFD Profile', 'string', '.spec.bfdProfile'],
  ['Multi Hops', 'string', '.spec.ebgpMultiHop'],
];
const SERVICE: readonly Column[] = [
  ['Service Name', 'string', '.status.serviceName'],
  ['Service Namespace', 'string', '.status.serviceNamespace'],
];

/** The kinds of metallb.io, with MetalLB's names, versions and columns. */
export const CRD_KINDS: readonly CrdKind[] = [
  {
    ...{ kind: 'BFDProfile', plural: 'bfdprofiles' },
    versions: [
      {
        name: 'v1beta1',
        description: 'Settings of BFD sessions, for BGPPeers that name this profile.',
        columns: [
          ['Passive Mode', 'boolean', '.spec.passiveMode'],
          ['Transmit Interval', 'integer', '.spec.transmitInterval'],
          ['Receive Interval', 'integer', '.spec.receiveInterval'],
          ['Multiplier', 'integer', '.spec.detectMultiplier'],
        ],
        spec: {
          description: 'Settings of BFD sessions. What is absent is left to FRR.',
          schema: bfdProfileSchema,
        },
        status: UNUSED,
      },
    ],
  },
  {
    ...{ kind: 'BGPAdvertisement', plural: 'bgpadvertisements' },
    versions: [
      {
        name: 'v1beta1',
        description: 'Announces addresses over BGP.',
        columns: [...POOLS, ['Peers', 'string', '.spec.peers'], NODE_SELECTORS],
        spec: {
          description: 'Which addresses are announced over BGP, how, from where and to whom.',
          schema: bgpAdvertisementSchema,
        },
        status: UNUSED,
      },
    ],
  },
  {
    ...{ kind: 'BGPPeer', plural: 'bgppeers' },
    comment: `Two versions, and no webhook between them (strategy None): the API server changes nothing but apiVersion. Every field of
v1beta1 has the same name and type in v1beta2, so an object that is written as v1beta1 is kept whole. What follows:

- An absent peerPort is 179, and absent timers are the defaults of FRR, in either version.
- A timer that is written as 0s is kept as 0s. In v1beta2 a holdTime of 0s means that the session has no timers; in the
  folder of manifests that the command line reads, a v1beta1 object with 0s still means "the default". Leave it out.
- holdTime 0s beside a keepaliveTime above it is refused here, since v1beta2 would not know what it means.
- nodeSelectors are ordinary label selectors in both versions: every selector of the older form is one. It is not required
  to give matchLabels, matchExpressions and values all three.
- Fields that only v1beta2 has are not shown in v1beta1. Who reads such an object as v1beta1 and writes it back removes them.`,
    versions: [
      {
        name: 'v1beta1',
        description: 'A router that the speakers have BGP sessions with; the older form, write v1beta2.',
        deprecationWarning:
          'metallb.io/v1beta1 BGPPeer is deprecated; write metallb.io/v1beta2. It is stored as v1beta2, where a ' +
          'holdTime of 0s turns the timers off: leave out holdTime and keepaliveTime for the defaults',
        columns: PEER,
        spec: { description: 'What the session is to be.', schema: bgpPeerV1beta1Schema },
        status: UNUSED,
      },
      {
        name: 'v1beta2',
        description: 'A router that the speakers have BGP sessions with.',
        columns: PEER,
        spec: { description: 'What the session is to be.', schema: bgpPeerSchema },
        status: UNUSED,
      },
    ],
  },
  {
    ...{ kind: 'Community', plural: 'communities' },
    versions: [
      {
        name: 'v1beta1',
        description: 'Names for BGP communities, for BGPAdvertisements to use.',
        columns: [],
        spec: { description: 'Names and what they stand for.', schema: communitySchema },
        status: UNUSED,
      },
    ],
  },
  {
    ...{ kind: 'ConfigurationState', plural: 'configurationstates' },
    versions: [
      {
        name: 'v1beta1',
        description:
          'Whether the controller or one speaker uses the configuration, or what is wrong with it. Made and kept by them.',
        columns: [
          ['Result', 'string', '.status.result'],
          ['ErrorSummary', 'string', '.status.errorSummary'],
          ['Age', 'date', '.metadata.creationTimestamp'],
        ],
        status: {
          description: 'Whether the configuration is in use; written by the controller and by each speaker.',
          schema: configurationStateStatus,
        },
      },
    ],
  },
  {
    ...{ kind: 'IPAddressPool', plural: 'ipaddresspools' },
    versions: [
      {
        name: 'v1beta1',
        description: 'Addresses that the controller hands out to Services of type LoadBalancer.',
        columns: [
          ['Auto Assign', 'boolean', '.spec.autoAssign'],
          ['Avoid Buggy IPs', 'boolean', '.spec.avoidBuggyIPs'],
          ['Addresses', 'string', '.spec.addresses'],
        ],
        spec: { description: 'The addresses, and who may have them.', schema: ipAddressPoolSchema },
        status: { description: 'How full the pool is; written by the controller.', schema: poolStatus },
      },
    ],
  },
  {
    ...{ kind: 'L2Advertisement', plural: 'l2advertisements' },
    versions: [
      {
        name: 'v1beta1',
        description: 'Announces addresses on the local network: one node answers ARP and NDP for each.',
        columns: [...POOLS, ['Interfaces', 'string', '.spec.interfaces'], NODE_SELECTORS],
        spec: {
          description: 'Which addresses are answered for on the local network, and from where.',
          schema: l2AdvertisementSchema,
        },
        status: UNUSED,
      },
    ],
  },
  {
    ...{ kind: 'ServiceBGPStatus', plural: 'servicebgpstatuses' },
    versions: [
      {
        name: 'v1beta1',
        description:
          'Which BGPPeers a Service is announced to from one node. Made and kept by the speakers; nobody else needs to write one.',
        columns: [['Node', 'string', '.status.node'], ...SERVICE],
        spec: EMPTY,
        status: {
          description: 'Who announces the Service to whom; written by a speaker.',
          schema: serviceBgpStatus,
        },
      },
    ],
  },
  {
    ...{ kind: 'ServiceL2Status', plural: 'servicel2statuses' },
    versions: [
      {
        name: 'v1beta1',
        description:
          'Which node answers for a Service on the local network. Made and kept by the speakers; nobody else needs to write one.',
        columns: [
          ['Allocated Node', 'string', '.status.node'],
          ...SERVICE,
          ['Since', 'date', '.status.since'],
          ['Cause', 'string', '.status.cause'],
        ],
        spec: EMPTY,
        status: { description: 'Who announces the Service; written by a speaker.', schema: serviceL2Status },
      },
    ],
  },
];
