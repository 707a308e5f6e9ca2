import type { Pool } from '../config/index.ts';
import type { IpAddress } from '../core/ip.ts';
import { compareText } from '../core/order.ts';
import { hold, type AddressRequest, type AddressUse, type Ledger } from './ledger.ts';
import { avoids, pinMismatch, placeOf, type Place, type PoolTable } from './pool-table.ts';
import { familyName, listText, quote, reasonOf } from './reason.ts';
import type { Allocation, AllocationReason, PoolRefusal } from './types.ts';

export type AssignResult =
  | { readonly ok: true; readonly allocation: Allocation }
  | { readonly ok: false; readonly reason: AllocationReason };

/** What the allow-shared-ip annotation is called in messages. */
const SHARING_ANNOTATION = 'metallb.io/allow-shared-ip';

/**
 * Gives exactly these addresses to a Service in place of what it holds. A refusal leaves everything as it was.
 * @param ips one or more, in the order wanted
 * @param wantedPool the pool that must own them, when the Service names one
 */
export function assign(
  ledger: Ledger,
  request: AddressRequest,
  ips: readonly IpAddress[],
  wantedPool?: string,
): AssignResult {
  const located = locate(ledger.table, ips);
  if (!located.ok) return located;
  const { pool, places } = located;
  const reason =
    (wantedPool !== undefined && wantedPool !== pool.name
      ? poolMismatch(ips, pool, wantedPool)
      : undefined) ??
    incompatibleReason(pool, request) ??
    familiesReason(ips) ??
    sharingReasonOf(ledger, request, ips);
  if (reason) return { ok: false, reason };
  const { key, ports, sharingKey, backendKey } = request;
  const allocation: Allocation = { key, pool: pool.name, ips, ports, sharingKey, backendKey };
  hold(ledger, allocation, places);
  return { ok: true, allocation };
}

type Located =
  | { readonly ok: true; readonly pool: Pool; readonly places: readonly Place[] }
  | { readonly ok: false; readonly reason: AllocationReason };

/** The one pool that owns every address. */
function locate(table: PoolTable, ips: readonly IpAddress[]): Located {
  const places: Place[] = [];
  for (const ip of ips) {
    const place = placeOf(table, ip);
    if (!place) return { ok: false, reason: notInPool(table, ip) };
    const pool = place.entry.pool;
    if (avoids(pool, ip)) {
      return {
        ok: false,
        reason: reasonOf(
          'addressAvoided',
          `pool ${pool.name} does not hand out ${ip.text}: with avoidBuggyIPs addresses ending in .0 and .255 are left out; request another address`,
        ),
      };
    }
    places.push(place);
  }
  const pools = [...new Set(places.map((place) => place.entry.pool))];
  const [pool] = pools;
  if (!pool) throw new Error('no address to assign');
  if (pools.length > 1) {
    const where = places.map((place, index) => `${ips[index]?.text ?? ''} in ${place.entry.pool.name}`);
    const message = `the addresses lie in different pools (${where.join(', ')}); both must come from one pool`;
    return { ok: false, reason: reasonOf('addressesInDifferentPools', message) };
  }
  return { ok: true, pool, places };
}

function notInPool(table: PoolTable, ip: IpAddress): AllocationReason {
  const pools = [...table.entries.values()]
    .filter((entry) => entry.spaces[ip.family].size > 0n)
    .map(({ pool }) => {
      const prefixes = pool.addresses.flat().filter((prefix) => prefix.family === ip.family);
      return `${pool.name} (${listText(prefixes.map((prefix) => prefix.text))})`;
    });
  const hint =
    pools.length > 0
      ? `request an address of ${listText(pools)}`
      : `no pool has ${familyName(ip.family)} addresses`;
  return reasonOf('addressNotInPool', `${ip.text} is in no pool; ${hint}`);
}

function poolMismatch(ips: readonly IpAddress[], pool: Pool, wanted: string): AllocationReason {
  const texts = ips.map((ip) => ip.text).join(', ');
  const message = `${texts} belongs to pool ${pool.name}, but the Service asks for pool ${quote(wanted)}; name one pool and addresses of it`;
  return reasonOf('requestPoolMismatch', message);
}

function incompatibleReason(pool: Pool, request: AddressRequest): AllocationReason | undefined {
  const refusal = pinRefusal(pool, request);
  return refusal && reasonOf('poolIncompatible', refusal.message, [refusal]);
}

/** Why a pinned pool may not serve this Service, in words; undefined when it may. */
export function pinRefusal(pool: Pool, request: AddressRequest): PoolRefusal | undefined {
  const mismatch = pinMismatch(pool, request);
  if (mismatch === undefined) return undefined;
  const namespaces = [...(pool.allocation?.namespaces ?? [])].sort(compareText);
  const message =
    mismatch === 'namespace'
      ? `pool ${pool.name} serves only the namespaces ${listText(namespaces)}, not ${request.namespace}`
      : `pool ${pool.name} serves only Services that match its serviceSelectors; the labels of ${request.key} match none`;
  return { pool: pool.name, code: 'incompatible', message };
}

function familiesReason(ips: readonly IpAddress[]): AllocationReason | undefined {
  const families = new Set(ips.map((ip) => ip.family));
  if (families.size === ips.length) return undefined;
  const texts = ips.map((ip) => ip.text).join(', ');
  return reasonOf('addressesNotOnePerFamily', `${texts}: a Service has at most one address of each family`);
}

function sharingReasonOf(
  ledger: Ledger,
  request: AddressRequest,
  ips: readonly IpAddress[],
): AllocationReason | undefined {
  for (const ip of ips) {
    const use = ledger.uses.get(ip.text);
    const reason = use && sharingReason(use, request);
    if (reason) return reason;
  }
  return undefined;
}

/** Why the Service may not use an address beside its other users; undefined when it may. */
function sharingReason(use: AddressUse, request: AddressRequest): AllocationReason | undefined {
  const holder = otherUser(use, request.key);
  if (holder === undefined) return undefined;
  const address = use.ip.text;
  const both = `to share it give both Services the same ${SHARING_ANNOTATION}, or use another address`;
  if (use.sharingKey === '') {
    return reasonOf('addressInUse', `${address} is held by ${holder}, which does not share it; ${both}`);
  }
  if (request.sharingKey === '') {
    const message = `${address} is held by ${holder} with sharing key ${quote(use.sharingKey)}, and ${request.key} has none; ${both}`;
    return reasonOf('addressInUse', message);
  }
  if (use.sharingKey !== request.sharingKey) {
    const message = `${address} is held by ${holder} with sharing key ${quote(use.sharingKey)}, and ${request.key} has ${quote(request.sharingKey)}; ${both}`;
    return reasonOf('sharingKeyDiffers', message);
  }
  if (use.backendKey !== request.backendKey) {
    const message = `${address} is held by ${holder}, whose backends differ from those of ${request.key}; Services that share an address have externalTrafficPolicy Cluster, or Local and equal selectors`;
    return reasonOf('backendDiffers', message);
  }
  for (const port of request.ports) {
    const owner = use.ports.get(port);
    if (owner !== undefined && owner !== request.key) {
      const message = `${port} on ${address} is taken by ${owner}; Services that share an address have distinct ports`;
      return reasonOf('portConflict', message);
    }
  }
  return undefined;
}

/** A user other than `key`: of several, the one that came first. */
function otherUser(use: AddressUse, key: string): string | undefined {
  for (const user of use.users) {
    if (user !== key) return user;
  }
  return undefined;
}
