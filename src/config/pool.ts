import type { IPAddressPool, NamespaceObject } from '../api/index.ts';
import { parseAddressBlock } from '../core/address-block.ts';
import type { Prefix } from '../core/ip.ts';
import { anySelectorMatches } from '../core/selector.ts';
import type { Fault } from './fault.ts';
import type { Pool, PoolAllocation } from './types.ts';

export type PoolReading =
  { readonly ok: true; readonly pool: Pool } | { readonly ok: false; readonly faults: readonly Fault[] };

/** The pool that an IPAddressPool means, with the Namespaces that its selectors choose resolved to names. */
export function poolFrom(object: IPAddressPool, namespaces: readonly NamespaceObject[]): PoolReading {
  const addresses: (readonly Prefix[])[] = [];
  const faults: Fault[] = [];
  object.spec.addresses.forEach((text, index) => {
    const parsed = parseAddressBlock(text);
    if (parsed.ok) addresses.push(parsed.prefixes);
    else
      faults.push({
        field: `spec.addresses[${String(index)}]`,
        reason: 'InvalidValue',
        message: parsed.message,
      });
  });
  if (faults.length > 0) return { ok: false, faults };
  const { autoAssign, avoidBuggyIPs, serviceAllocation } = object.spec;
  const pool: Pool = {
    name: object.metadata.name,
    addresses,
    autoAssign,
    avoidBuggyIPs,
    ...(serviceAllocation && { allocation: allocationFrom(serviceAllocation, namespaces) }),
    labels: object.metadata.labels,
  };
  return { ok: true, pool };
}

function allocationFrom(
  raw: NonNullable<IPAddressPool['spec']['serviceAllocation']>,
  namespaces: readonly NamespaceObject[],
): PoolAllocation {
  const selected =
    raw.namespaceSelectors.length === 0
      ? []
      : namespaces.filter(({ metadata }) => anySelectorMatches(raw.namespaceSelectors, metadata.labels));
  return {
    ...(raw.priority > 0 && { priority: raw.priority }),
    namespaces: new Set([...raw.namespaces, ...selected.map(({ metadata }) => metadata.name)].sort()),
    serviceSelectors: raw.serviceSelectors,
  };
}

export function hasIpv6(pool: Pool): boolean {
  return pool.addresses.some((prefixes) => prefixes[0]?.family === 'ipv6');
}
