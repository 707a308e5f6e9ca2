import { choiceOrder, type Candidate } from './election.ts';
import type { Layer2Group } from './group.ts';
import { failbackMs, hasBeenWell, recordOf, type Surroundings } from './standing.ts';
import type { Layer2View } from './types.ts';

/** What the plan depends on. */
export interface BalanceFacts {
  readonly groups: readonly Layer2Group[];
  readonly view: Layer2View;
}

interface Planned {
  readonly candidates: readonly Candidate[];
  readonly order: readonly string[];
}

/**
 * Gives the function that says in which order the candidates would be chosen for a group of a balanced pool that nobody
 * has yet: of those with the highest score the one with the fewest addresses of the pool.
 *
 * Addresses that come together would all be nobody's for the first one and for the last, and all nodes would have none: so
 * each is planned in the order of their keys, and a plan counts for those after it as if it were carried out. A plan stays
 * until the group has an owner, or other candidates. All nodes know the same groups and records, so they plan the same. One
 * that hears of new groups when others have already carried out part of their plans counts those owners in the place of the
 * plans, and so comes to the same plan for the rest; where two differ all the same, whoever claims last hears the other's
 * answer and leaves it there.
 */
export function createBalance(): (group: Layer2Group, facts: BalanceFacts) => readonly string[] {
  let known: BalanceFacts | undefined;
  let plans: ReadonlyMap<string, Planned> = new Map();
  let heardOf: ReadonlySet<string> = new Set();
  return (group, facts) => {
    if (known?.groups !== facts.groups || known.view !== facts.view) {
      plans = planned(facts, { plans, heardOf });
      if (known?.groups !== facts.groups) heardOf = new Set(facts.groups.map(({ key }) => key));
      known = facts;
    }
    return plans.get(group.key)?.order ?? choiceOrder(group.candidates, group.key);
  };
}

function planned(
  { groups, view }: BalanceFacts,
  before: { readonly plans: ReadonlyMap<string, Planned>; readonly heardOf: ReadonlySet<string> },
): ReadonlyMap<string, Planned> {
  const { loadOf, count } = createLoads();
  const plans = new Map<string, Planned>();
  const open: { readonly group: Layer2Group; readonly owner: string | undefined }[] = [];
  for (const group of groups) {
    const owner = recordOf(group, view)?.node;
    const plan = before.plans.get(group.key);
    if (owner !== undefined && (before.heardOf.has(group.key) || !group.balance)) count(group.pool, owner);
    else if (!group.balance) continue;
    else if (owner === undefined && plan?.candidates === group.candidates) {
      plans.set(group.key, plan);
      count(group.pool, plan.order[0]);
    } else open.push({ group, owner });
  }
  for (const { group, owner } of open) {
    const { key, pool, candidates } = group;
    if (owner !== undefined) {
      count(pool, owner);
      continue;
    }
    const order = choiceOrder(candidates, key, loadOf(pool));
    plans.set(key, { candidates, order });
    count(pool, order[0]);
  }
  return plans;
}

/**
 * Gives the function that says where a group of a balanced pool goes back to: to the node that has the fewest addresses of
 * the pool, when it has been well for long enough and has at least two fewer than the owner. Each such move counts for the
 * groups after it. It makes the pool more even each time, so it comes to an end, and no more is moved than that takes.
 */
export function evening(
  { groups, view }: BalanceFacts,
  around: Pick<Surroundings, 'wellSince' | 'now'>,
): (group: Layer2Group) => string | undefined {
  let targets: ReadonlyMap<string, string> | undefined;
  return ({ key }) => {
    targets ??= evened({ groups, view }, around);
    return targets.get(key);
  };
}

function evened(
  { groups, view }: BalanceFacts,
  around: Pick<Surroundings, 'wellSince' | 'now'>,
): ReadonlyMap<string, string> {
  const { loadOf, count } = createLoads();
  const owned = groups.flatMap((group) => {
    const owner = recordOf(group, view)?.node;
    return owner === undefined ? [] : [{ group, owner }];
  });
  for (const { group, owner } of owned) count(group.pool, owner);
  const targets = new Map<string, string>();
  for (const { group, owner } of owned) {
    const forMs = failbackMs(group);
    const here = group.candidates.find(({ node }) => node === owner);
    if (!group.balance || forMs === undefined || !here) continue;
    const load = loadOf(group.pool);
    const most = (load.get(owner) ?? 0) - 2;
    // In an even pool, as it mostly is, nobody is left to be put in order.
    const ready = group.candidates.filter(
      ({ node, score }) =>
        score === here.score &&
        (load.get(node) ?? 0) <= most &&
        hasBeenWell(node, group, { ...around, forMs }),
    );
    const [to] = choiceOrder(ready, group.key, load);
    if (to === undefined) continue;
    targets.set(group.key, to);
    count(group.pool, owner, -1);
    count(group.pool, to);
  }
  return targets;
}

/** How many addresses of each pool each node has. */
function createLoads(): {
  readonly loadOf: (pool: string) => ReadonlyMap<string, number>;
  readonly count: (pool: string, node: string | undefined, by?: number) => void;
} {
  const loads = new Map<string, Map<string, number>>();
  const loadOf = (pool: string): Map<string, number> => {
    const load = loads.get(pool) ?? new Map<string, number>();
    loads.set(pool, load);
    return load;
  };
  return {
    loadOf,
    count: (pool, node, by = 1) => {
      if (node === undefined) return;
      const load = loadOf(pool);
      load.set(node, (load.get(node) ?? 0) + by);
    },
  };
}
