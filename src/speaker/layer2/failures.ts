import { describeUnused, type Layer2Service } from '../../l2/index.ts';
import type { Places } from './places.ts';

/** Why this node cannot answer for addresses that it is meant to. */
export interface Failures {
  /** Looks at all Services again. @returns what is new: a line for each Service, which is given once while it stays so */
  readonly news: (services: readonly Layer2Service[], places: Places) => ReadonlyMap<string, string>;
}

/**
 * An interface without carrier is no failure: the other nodes have theirs. One that is not there, or that cannot be used as
 * it is, is a mistake that somebody has to mend.
 */
export function createFailures(me: string): Failures {
  let known: ReadonlyMap<string, string> = new Map();
  return {
    news: (services, places) => {
      const found = new Map<string, string>();
      for (const service of services) {
        if (!service.candidates.some(({ node }) => node === me)) continue;
        const unserved = service.ips.filter((ip) => places.linksOf(ip).length === 0);
        const unused = places.unusedFor(service);
        if (unserved.length === 0 || unused.some(({ reason }) => reason === 'down')) continue;
        const why = describeUnused([...new Map(unused.map((link) => [link.name, link])).values()]);
        found.set(
          service.key,
          `node "${me}" cannot announce ${unserved.map(({ text }) => text).join(', ')} with protocol "layer2": ${why}`,
        );
      }
      const news = new Map([...found].filter(([key, message]) => known.get(key) !== message));
      known = found;
      return news;
    },
  };
}
