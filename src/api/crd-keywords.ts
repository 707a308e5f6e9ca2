/**
 * What the API server checks of a field before anybody reads it, for those fields whose grammar a JSON schema alone does
 * not tell. It stands beside the parser's own check as `meta({ crd })`; `src/api/crd` makes the CustomResourceDefinitions
 * from both. A keyword here never refuses what the parser takes; what it lets through the parser refuses, with more words.
 */
export interface CrdKeywords {
  /** The API server stores the schema's default where the field is absent. Else the default is only ours. */
  readonly storesDefault?: boolean;
  /** The API server lets the field be absent though the parser does not: a schema of MetalLB's does. */
  readonly mayBeAbsent?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly object[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic';
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

/** A rule in the Common Expression Language, as apiextensions.k8s.io/v1 has it. */
export interface CelRule {
  readonly rule: string;
  /** Follows the field's path in what the API server answers. */
  readonly message: string;
}

declare module 'zod' {
  interface GlobalMeta {
    readonly crd?: CrdKeywords;
  }
}

export const STORED_DEFAULT: CrdKeywords = { storesDefault: true };

const IPV4 = '^([0-9]{1,3}[.]){3}[0-9]{1,3}$';
const IPV6 = '^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$';
const IPV4_MAPPED = '^[0:]*:[Ff]{4}:[0-9A-Fa-f.:]+$';
/** Longer than any address and any sensible duration; CEL's cost is reckoned from it. */
const SHORT_TEXT = { maxLength: 64 } as const;

/** Empty texts count as absent. */
export const IP_ADDRESS = {
  ...SHORT_TEXT,
  'x-kubernetes-validations': [
    {
      rule: `self == '' || self.matches('${IPV4}') || self.matches('${IPV6}')`,
      message: 'must be an IP address, such as 192.0.2.1 or 2001:db8::1',
    },
  ],
} as const satisfies CrdKeywords;

export const NOT_EMPTY: CelRule = { rule: "self != ''", message: 'must not be empty' };

export const ROUTER_ID: CrdKeywords = {
  ...SHORT_TEXT,
  'x-kubernetes-validations': [
    {
      rule: `self == '' || (self != '0.0.0.0' && (self.matches('${IPV4}') || self.matches('${IPV4_MAPPED}')))`,
      message: 'must be written as an IPv4 address other than 0.0.0.0',
    },
  ],
};

export const ASN_NOT_ZERO: CrdKeywords = {
  'x-kubernetes-validations': [{ rule: 'self != 0', message: 'must be an ASN from 1 to 4294967295' }],
};

/** Go's `time.ParseDuration`, with both signs for micro. */
export const DURATION = {
  ...SHORT_TEXT,
  pattern: '^[-+]?(0|(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$',
} as const satisfies CrdKeywords;

/** IFNAMSIZ less one. */
export const LINK_NAME: CrdKeywords = { pattern: '^[A-Za-z0-9._@+-]{0,15}$' };

/** A DNS subdomain, or empty. */
export const OBJECT_NAME: CrdKeywords = {
  maxLength: 253,
  pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$',
};

/** TCP_MD5SIG_MAXKEYLEN. */
export const PASSWORD: CrdKeywords = { maxLength: 80 };

export const LABEL_KEY: CrdKeywords = {
  pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$',
};

export const LABEL_VALUE: CrdKeywords = { pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$' };

/** A list or a map that server-side apply replaces as a whole. */
export const ATOMIC_LIST: CrdKeywords = { 'x-kubernetes-list-type': 'atomic' };
export const ATOMIC_MAP: CrdKeywords = { 'x-kubernetes-map-type': 'atomic' };

/** Operators of a label selector's requirement that take values need some, and the others take none. */
export const REQUIREMENT: CrdKeywords = {
  anyOf: [
    {
      properties: { operator: { enum: ['In', 'NotIn'] }, values: { minItems: 1 } },
      required: ['values'],
    },
    { properties: { operator: { enum: ['Exists', 'DoesNotExist'] }, values: { maxItems: 0 } } },
  ],
};

/** A CIDR, or a range with white space of any kind around its ends. */
export const ADDRESS_BLOCK: CrdKeywords = {
  pattern:
    '^([0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*/(0|[1-9][0-9]{0,2})|[\\s\\v\\p{Z}]*[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[\\s\\v\\p{Z}]*-[\\s\\v\\p{Z}]*[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[\\s\\v\\p{Z}]*)$',
};

export const COMMUNITY: CrdKeywords = {
  pattern: '^([0-9]{1,10}:[0-9]{1,10}|large:[0-9]{1,10}:[0-9]{1,10}:[0-9]{1,10})$',
};
