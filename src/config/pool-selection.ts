import type { BGPAdvertisement, IPAddressPool, L2Advertisement } from '../api/index.ts';
import { anySelectorMatches } from '../core/selector.ts';

type Advertisement = BGPAdvertisement | L2Advertisement;

/**
 * Whether an advertisement announces a pool: by name, by label, or because it names nothing at all. A pool that was
 * converted from a legacy form came with its own advertisements; another one has to name it.
 */
export function selectsPool(advertisement: Advertisement, pool: IPAddressPool): boolean {
  const { ipAddressPools, ipAddressPoolSelectors } = advertisement.spec;
  if (ipAddressPools.includes(pool.metadata.name)) return true;
  if (pool.metadata.convertedFrom) return false;
  if (ipAddressPoolSelectors.length === 0) return ipAddressPools.length === 0;
  return anySelectorMatches(ipAddressPoolSelectors, pool.metadata.labels);
}

/** Gives the names of the pools that an advertisement selects. Equal selections share one Set. */
export type PoolSelector = (advertisement: Advertisement) => ReadonlySet<string>;

/**
 * @param pools in name order
 * @param sets Sets given before, by their names; the ones given now are added, so that equal ones stay identical
 */
export function createPoolSelector(
  pools: readonly IPAddressPool[],
  sets: Map<string, ReadonlySet<string>>,
): PoolSelector {
  const intern = (names: readonly string[]): ReadonlySet<string> => {
    const key = names.join('/');
    const known = sets.get(key);
    if (known) return known;
    const fresh = new Set(names);
    sets.set(key, fresh);
    return fresh;
  };
  const byName = new Map(pools.map((pool) => [pool.metadata.name, pool]));
  const all = intern(
    pools.filter(({ metadata }) => !metadata.convertedFrom).map(({ metadata }) => metadata.name),
  );
  return (advertisement) => {
    const { ipAddressPools, ipAddressPoolSelectors } = advertisement.spec;
    if (ipAddressPoolSelectors.length > 0) {
      return intern(
        pools.filter((pool) => selectsPool(advertisement, pool)).map(({ metadata }) => metadata.name),
      );
    }
    return ipAddressPools.length === 0
      ? all
      : intern(ipAddressPools.filter((name) => byName.has(name)).sort());
  };
}
