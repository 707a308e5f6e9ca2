import { metaOfKey } from '../../core/problem.ts';
import {
  MAX_HISTORY,
  recordOf,
  type GroupState,
  type Keeper,
  type Layer2Group,
  type OwnershipRecord,
} from '../../l2/index.ts';
import type { Situation } from './situation.ts';

/** What this node writes down of the addresses that it has: a record for each Service. */
export interface Ledger {
  /** What an earlier run left: it stands until this one has decided about the addresses, or others would find nobody's. */
  readonly adopt: (left: Iterable<readonly [key: string, record: OwnershipRecord]>) => void;
  /** Takes back what an earlier run left about Services that are wanted no more, or that others have. @returns whether there was any */
  readonly prune: () => boolean;
  readonly write: (group: Layer2Group, state: GroupState & { kind: 'owned' | 'released' }) => void;
  readonly forget: (group: Layer2Group) => void;
  /** Writes everything anew: Services or interfaces have changed. @returns whether anything may be different */
  readonly rewrite: () => boolean;
  /** By `namespace/name`; another map each time. */
  readonly records: () => ReadonlyMap<string, OwnershipRecord>;
}

export function createLedger(options: {
  readonly me: string;
  readonly situation: () => Situation;
  readonly stateOf: Keeper['stateOf'];
}): Ledger {
  const { me, situation, stateOf } = options;
  const records = new Map<string, OwnershipRecord>();
  const adopted = new Map<string, OwnershipRecord>();

  const write: Ledger['write'] = (group, state) => {
    const { view, places } = situation();
    const owned = state.kind === 'owned' ? state : state.owned;
    const nextOwner = nextOwnerOf(state);
    const history = recordOf(group, view)?.history ?? [];
    const isNew = history[0]?.at !== owned.since || history[0].node !== me;
    const move = { at: owned.since, node: me, cause: owned.claim.cause };
    for (const service of group.services) {
      adopted.delete(service.key);
      records.set(service.key, {
        service: metaOfKey(service.key),
        node: me,
        ips: service.ips.map(({ text }) => text),
        interfaces: state.kind === 'owned' ? places.interfacesOf(service) : [],
        since: owned.since,
        cause: owned.claim.cause,
        ...(nextOwner === undefined ? {} : { nextOwner }),
        history: isNew ? [move, ...history].slice(0, MAX_HISTORY) : history,
      });
    }
  };
  /**
   * What an earlier run had is not answered for any more where no interface is left for it: the others are told, since they
   * leave it to a node that lives.
   */
  const adoptedRecords = (): readonly (readonly [string, OwnershipRecord])[] => {
    const { groups, links, places } = situation();
    // Before the interfaces are known all of them are missing.
    if (adopted.size === 0 || links.length === 0) return [...adopted];
    const unserved = new Set(
      groups
        .filter((group) => places.linkOf(group) === undefined)
        .flatMap(({ services }) => services.map(({ key }) => key)),
    );
    return [...adopted].map(([key, record]) => [
      key,
      unserved.has(key) ? { ...record, interfaces: [] } : record,
    ]);
  };
  return {
    adopt: (left) => {
      for (const [key, record] of left) adopted.set(key, record);
    },
    prune: () => {
      if (adopted.size === 0) return false;
      const { groups, view } = situation();
      const known = new Set(groups.flatMap(({ services }) => services.map(({ key }) => key)));
      const isMine = (key: string): boolean => known.has(key) && view.ownerships.get(key)?.node === me;
      const stale = [...adopted.keys()].filter((key) => !isMine(key));
      for (const key of stale) adopted.delete(key);
      return stale.length > 0;
    },
    write,
    forget: ({ services }) => {
      for (const { key } of services) {
        records.delete(key);
        adopted.delete(key);
      }
    },
    rewrite: () => {
      if (records.size === 0) return adopted.size > 0;
      const before = new Map(records);
      records.clear();
      for (const group of situation().groups) {
        const state = stateOf(group.key);
        if (state.kind === 'owned' || state.kind === 'released') write(group, state);
        else if (state.kind !== 'idle') {
          // What is only in doubt stays written down.
          for (const { key } of group.services) {
            const doubted = before.get(key);
            if (doubted) records.set(key, doubted);
          }
        }
      }
      return true;
    },
    records: () => new Map([...adoptedRecords(), ...records]),
  };
}

function nextOwnerOf(state: GroupState & { kind: 'owned' | 'released' }): string | undefined {
  if (state.kind === 'released') return state.to;
  const { handOver } = state;
  return handOver?.failedUntil === undefined ? handOver?.to : undefined;
}
