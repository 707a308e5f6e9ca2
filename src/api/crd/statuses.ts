import { z } from 'zod';
import type { CrdKeywords } from '../crd-keywords.ts';

/** What controller and speakers write into the status of an object. Fields and words are MetalLB's, but for those of layer 2. */

const UNCHANGING: CrdKeywords = {
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'cannot be changed' }],
};

const count = z.number().int().meta({ format: 'int64' });

export const poolStatus = z.object({
  assignedIPv4: count.describe('different IPv4 addresses of the pool that Services have'),
  assignedIPv6: count.describe('different IPv6 addresses of the pool that Services have'),
  availableIPv4: count.describe('IPv4 addresses of the pool that are left'),
  availableIPv6: count.describe('IPv6 addresses of the pool that are left'),
});

const service = {
  serviceName: z.string().meta({ crd: UNCHANGING }).exactOptional().describe('name of the Service'),
  serviceNamespace: z.string().meta({ crd: UNCHANGING }).exactOptional().describe('namespace of the Service'),
};

export const serviceBgpStatus = z.object({
  node: z.string().meta({ crd: UNCHANGING }).exactOptional().describe('the node that announces the Service'),
  ...service,
  peers: z
    .array(z.string())
    .exactOptional()
    .describe(
      'names of the BGPPeers that the Service is announced to from this node, sorted. It does not say whether a session ' +
        'is up',
    ),
});

export const serviceL2Status = z.object({
  node: z
    .string()
    .exactOptional()
    .describe(
      'the node that answers for the addresses of the Service. The object stays when another one takes over',
    ),
  ...service,
  interfaces: z
    .array(z.object({ name: z.string().exactOptional().describe('name of the interface') }))
    .exactOptional()
    .describe('the interfaces it answers on, when the advertisements name some; otherwise all'),
  ips: z.array(z.string()).exactOptional().describe('the addresses that the node answers for'),
  since: z.string().exactOptional().describe('since when it is this node (RFC 3339)'),
  cause: z
    .string()
    .exactOptional()
    .describe(
      'why the addresses came to this node: FirstClaim, OwnerLost, SpeakerLost, OwnerGone, HandOver, Requested, ' +
        'Preferred or Failback',
    ),
  nextOwner: z
    .string()
    .exactOptional()
    .describe('the node that is about to take over; until then this one goes on answering'),
  history: z
    .array(
      z.object({
        at: z.string().exactOptional().describe('since when it was this node (RFC 3339)'),
        node: z.string().exactOptional().describe('the node that the addresses came to'),
        cause: z.string().exactOptional().describe('why they came to it'),
      }),
    )
    .meta({ crd: { maxItems: 20 } })
    .exactOptional()
    .describe('the nodes that had the addresses, the newest first'),
});

/** `metav1.Condition`. */
const condition = z
  .object({
    type: z
      .string()
      .meta({
        crd: {
          maxLength: 316,
          pattern:
            '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
        },
      })
      .describe('what the condition is about'),
    status: z.enum(['True', 'False', 'Unknown']).describe('whether it holds'),
    observedGeneration: z
      .number()
      .int()
      .min(0)
      .meta({ format: 'int64' })
      .exactOptional()
      .describe('the generation of this object that the condition was made for'),
    lastTransitionTime: z
      .string()
      .meta({ format: 'date-time' })
      .describe('when the condition was written last'),
    reason: z
      .string()
      .meta({ crd: { minLength: 1, maxLength: 1024, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' } })
      .describe('one word why'),
    message: z.string().describe('the same for people, in full; not cut at any length'),
  })
  .describe('a condition as Kubernetes has them');

export const configurationStateStatus = z.object({
  result: z
    .enum(['Valid', 'Invalid', 'Unknown'])
    .exactOptional()
    .describe(
      'Valid: all is in use. Invalid: some object is wrong and not in use. Unknown: nobody has looked yet',
    ),
  errorSummary: z
    .string()
    .exactOptional()
    .describe('what is wrong, one fault a line; empty when all is valid'),
  conditions: z
    .array(condition)
    .meta({ crd: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] } })
    .exactOptional()
    .describe('one condition for each part that reads the configuration'),
});
