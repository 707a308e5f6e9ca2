import { isDeepStrictEqual } from 'node:util';
import type { ApiKind, ApiObject } from './objects.ts';

/** The kinds of metallb.io, with the version that they are written in. */
const VERSIONS: Partial<Readonly<Record<ApiKind, string>>> = {
  IPAddressPool: 'metallb.io/v1beta1',
  BGPAdvertisement: 'metallb.io/v1beta1',
  L2Advertisement: 'metallb.io/v1beta1',
  BGPPeer: 'metallb.io/v1beta2',
  BFDProfile: 'metallb.io/v1beta1',
  Community: 'metallb.io/v1beta1',
};

/** What the API takes a field for that is not given. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  autoAssign: true,
  avoidBuggyIPs: false,
  priority: 0,
  aggregationLength: 32,
  aggregationLengthV6: 128,
  localPref: 0,
  peerPort: 179,
  enableGracefulRestart: false,
  ebgpMultiHop: false,
  disableMP: false,
  dualStackAddressFamily: false,
  echoMode: false,
  passiveMode: false,
  balance: false,
  failback: 'Never',
};

/** Whether an object is of a kind of metallb.io. */
export function isMetallbKind(kind: ApiKind): boolean {
  return VERSIONS[kind] !== undefined;
}

/**
 * An object of metallb.io as a manifest of today's kinds, without what is the default anyway: read again, it is the same
 * object. Clear-text passwords are in it.
 */
export function writeManifest({ kind, metadata, spec }: ApiObject): object {
  const { name, namespace, labels, annotations } = metadata;
  return {
    apiVersion: VERSIONS[kind] ?? 'v1',
    kind,
    metadata: {
      name,
      namespace,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: withoutDefaults(spec),
  };
}

function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value)
    .map(([name, field]) => [name, withoutDefaults(field)] as const)
    .filter(([name, field]) => !isDefault(name, field));
  return Object.fromEntries(fields);
}

/** In metallb.io an empty list says the same as none. So does an empty map, but an empty selector in a list selects all. */
function isDefault(name: string, value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    return name !== 'preference';
  return isDeepStrictEqual(DEFAULTS[name], value);
}
