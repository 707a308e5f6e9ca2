import { z } from 'zod';
import { ASN_NOT_ZERO, ATOMIC_MAP, DURATION, IP_ADDRESS, NOT_EMPTY, STORED_DEFAULT } from './crd-keywords.ts';
import { CONNECT_TIME, GRACEFUL_RESTART, PEER_RULES, PEER_V1BETA1_RULES } from './crd-rules.ts';
import { isComplete, readFields, type FieldsReading } from './field-reader.ts';
import { deprecated, type Finding, type Reading } from './finding.ts';
import { parseDuration } from '../core/duration.ts';
import {
  asn,
  goDuration,
  hostAddress,
  linkName,
  nonEmpty,
  objectName,
  password,
  routerId,
} from './grammar.ts';
import { labelSelectorFrom, selectorListSchema } from './label-selector.ts';
import type { BGPPeerSpec } from './objects.ts';
import { peerRules } from './peer-rules.ts';

/** The fields that v1beta1, v1beta2 and the legacy ConfigMap have in common, as v1beta2 has them. */
export const commonPeerFields = {
  myASN: asn.meta({ crd: ASN_NOT_ZERO }).describe("this side's ASN"),
  peerASN: asn.exactOptional().describe("the peer's ASN; or give dynamicASN"),
  peerAddress: hostAddress.exactOptional().describe('address of the peer; or give interface'),
  sourceAddress: hostAddress.exactOptional().describe('local address of the session'),
  peerPort: z
    .int()
    .min(1)
    .max(16_384)
    .default(179)
    .meta({ crd: STORED_DEFAULT })
    .describe('TCP port of the peer'),
  holdTime: goDuration
    .exactOptional()
    .describe('hold time to propose, such as "90s"; 0s turns both timers off'),
  keepaliveTime: goDuration
    .exactOptional()
    .describe('interval of keepalives; absent: a third of the hold time'),
  routerID: routerId
    .exactOptional()
    .describe('BGP Identifier, written as an IPv4 address; absent: FRR picks one'),
  nodeSelectors: selectorListSchema
    .default([])
    .describe('nodes that have the session; none listed: every node'),
  password: password
    .exactOptional()
    .describe('TCP-MD5 password (RFC 2385) in clear text; or give passwordSecret'),
  bfdProfile: objectName.exactOptional().describe('name of the BFDProfile to use; absent: no BFD'),
  ebgpMultiHop: z.boolean().default(false).describe('whether an eBGP peer may be more than one hop away'),
} as const;

export const bgpPeerSchema = z
  .strictObject({
    ...commonPeerFields,
    dynamicASN: z
      .enum(['internal', 'external'])
      .exactOptional()
      .describe('takes whatever ASN the peer has: the same as myASN, or any other'),
    localASN: z
      .int()
      .min(1)
      .max(4_294_967_295)
      .meta({ format: 'int64' })
      .exactOptional()
      .describe('ASN shown to this peer in place of myASN'),
    interface: linkName
      .exactOptional()
      .describe('interface of an unnumbered session (RFC 8950); or give peerAddress'),
    connectTime: goDuration
      .meta({ crd: { ...DURATION, ...CONNECT_TIME } })
      .exactOptional()
      .describe('time between attempts to connect, whole seconds from 1s to 65535s'),
    passwordSecret: z
      .strictObject({
        name: objectName.exactOptional().describe('name of a Secret of type kubernetes.io/basic-auth'),
        namespace: z
          .string()
          .exactOptional()
          .describe("not used: the Secret is looked up in MetalLB's namespace"),
      })
      .meta({ crd: ATOMIC_MAP })
      .exactOptional()
      .describe('the Secret whose key "password" holds the TCP-MD5 password'),
    enableGracefulRestart: z
      .boolean()
      .default(false)
      .meta({ crd: GRACEFUL_RESTART })
      .describe(
        'whether to offer graceful restart (RFC 4724), so that the peer keeps routes over our restart',
      ),
    vrf: linkName.exactOptional().describe('VRF of the session; absent: the default one'),
    disableMP: z
      .boolean()
      .default(false)
      .meta({ crd: STORED_DEFAULT })
      .describe('deprecated, without effect'),
    dualStackAddressFamily: z
      .boolean()
      .default(false)
      .meta({ crd: STORED_DEFAULT })
      .describe("whether the session carries both address families, not only that of the peer's address"),
  })
  .meta({ crd: PEER_RULES });

/** v1beta1: fewer fields, two of them required, and a port without a default. */
export const bgpPeerV1beta1Schema = z
  .strictObject({
    ...commonPeerFields,
    peerASN: asn.meta({ crd: ASN_NOT_ZERO }).describe("the peer's ASN"),
    peerAddress: hostAddress
      .meta({
        crd: {
          ...IP_ADDRESS,
          'x-kubernetes-validations': [...IP_ADDRESS['x-kubernetes-validations'], NOT_EMPTY],
        },
      })
      .describe('address of the peer'),
    peerPort: z.int().min(0).max(16_384).default(0).describe('TCP port of the peer; 0: 179'),
  })
  .meta({ crd: PEER_V1BETA1_RULES });

export type BGPPeerFields = z.output<typeof bgpPeerSchema>;

export function readBGPPeer(raw: unknown): Reading<BGPPeerSpec> {
  return finishPeer(readFields(bgpPeerSchema, raw, ['spec']), (field) => ['spec', field]);
}

/**
 * Reads a v1beta1 peer as the v1beta2 peer it means. A timer that is absent or zero was "the default" in v1beta1; a
 * literal conversion would turn the timers off.
 */
export function readBGPPeerV1beta1(raw: unknown): Reading<BGPPeerSpec> {
  const reading = readFields(bgpPeerV1beta1Schema, raw, ['spec']);
  const { holdTime, keepaliveTime, ...rest } = reading.values;
  const values = {
    ...rest,
    ...timer('holdTime', holdTime),
    ...timer('keepaliveTime', keepaliveTime),
    ...(rest.peerPort === 0 ? { peerPort: 179 } : {}),
    ...v1beta2Defaults,
  };
  return finishPeer({ ...reading, values }, (field) => ['spec', field]);
}

function timer(field: 'holdTime' | 'keepaliveTime', text: string | undefined): Partial<BGPPeerFields> {
  return text === undefined || parseDuration(text) === 0n ? {} : { [field]: text };
}

/** What a form without these fields means by their absence. */
export const v1beta2Defaults = {
  enableGracefulRestart: false,
  disableMP: false,
  dualStackAddressFamily: false,
} as const;

/** Applies the rules between fields, and takes out what is written but empty. */
export function finishPeer(
  reading: FieldsReading<BGPPeerFields>,
  pathOf: (field: keyof BGPPeerFields) => Finding['path'],
): Reading<BGPPeerSpec> {
  const known = new Set(reading.findings.map(({ path }) => path.join()));
  // A schema without alternatives has said already that the field is required.
  const findings = [
    ...reading.findings,
    ...peerRules(reading, pathOf).filter(({ path }) => !known.has(path.join())),
  ];
  if (reading.values.disableMP === true) {
    findings.push(deprecated(pathOf('disableMP'), 'true: has no effect any more and will go; leave it out'));
  }
  const checked = { ...reading, findings };
  return isComplete(checked) ? { value: specFrom(checked.values), findings } : { findings };
}

function specFrom(values: BGPPeerFields): BGPPeerSpec {
  const { nodeSelectors, peerASN, passwordSecret, ...rest } = values;
  const secretName = nonEmpty(passwordSecret?.name);
  const secretNamespace = nonEmpty(passwordSecret?.namespace);
  const written = Object.entries(rest).filter(([, value]) => value !== '');
  return {
    ...(Object.fromEntries(written) as typeof rest),
    nodeSelectors: nodeSelectors.map(labelSelectorFrom),
    ...(peerASN === undefined || peerASN === 0 ? {} : { peerASN }),
    ...(secretName === undefined
      ? {}
      : {
          passwordSecret: {
            name: secretName,
            ...(secretNamespace === undefined ? {} : { namespace: secretNamespace }),
          },
        }),
  };
}
