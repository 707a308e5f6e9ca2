import type { ApiObjectOfKind, ClusterSnapshot, IPAddressPool } from '../api/index.ts';
import { byText } from '../core/order.ts';
import type { Problem } from '../core/problem.ts';
import { isSameList } from '../core/same-list.ts';
import { admit, type Admission, type Candidate } from './admission.ts';
import { createDraft } from './draft.ts';
import { extrasFrom } from './extras.ts';
import { LAST_GOOD_STAYS, originOf, problem, problemOf, type Fault } from './fault.ts';
import { inputsOf, type ConfigMemory, type HeldPool } from './memory.ts';
import { candidatesFrom, type ConfigKind, type ConfigObject, type InUse } from './objects.ts';
import { createPoolSelector } from './pool-selection.ts';
import { poolFrom, type PoolReading } from './pool.ts';
import { danglingNames, keepItems, resolveAdvertisements, resolvePeers } from './resolve.ts';
import { aliasesIn } from './routes.ts';
import type { Config, Pool } from './types.ts';

export interface ConfigResult {
  readonly config: Config;
  readonly problems: readonly Problem[];
  readonly memory: ConfigMemory;
}

/**
 * Turns the metallb.io objects of `snapshot.namespace` into a Config. Never throws for what a user wrote: a wrong
 * object is set aside with its Problem, or its last good version stays in force. Of two objects that cannot both be
 * used, the one in use wins over the newcomer; when neither is, the older one, then the one first by name.
 * @param previous the `memory` of the call before; absent at start
 * @returns when nothing that matters changed, the very `config` of the call before
 */
export function buildConfig(snapshot: ClusterSnapshot, previous?: ConfigMemory): ConfigResult {
  const inputs = inputsOf(snapshot);
  if (previous && isSameList(previous.inputs, inputs)) {
    return { config: previous.config, problems: previous.problems, memory: previous };
  }
  const pools = createPoolReader(snapshot, previous);
  const secrets = new Map(
    snapshot.objects.Secret.filter(({ metadata }) => metadata.namespace === snapshot.namespace).map(
      (secret) => [secret.metadata.name, secret],
    ),
  );
  const { candidates, problems: found } = candidatesFrom(snapshot, previous?.inUse ?? new Map());
  const heldProfiles = new Map(
    [...(previous?.peers ?? [])].flatMap(([name, { profile }]) =>
      profile ? [[name, profile] as const] : [],
    ),
  );
  const admission = admit<ConfigObject, Fault>(candidates, (inUse) =>
    createDraft(inUse.values(), { poolOf: pools.read, secrets, heldProfiles }),
  );

  const inUse = admission.accepted;
  const ofKind = <Kind extends ConfigKind>(kind: Kind): ApiObjectOfKind<Kind>[] => objectsOfKind(inUse, kind);
  const poolObjects = ofKind('IPAddressPool');
  const poolSets = new Map(previous?.poolSets);
  const peers = resolvePeers({ peers: ofKind('BGPPeer'), profiles: ofKind('BFDProfile'), secrets, previous });
  const advertisements = resolveAdvertisements({
    bgp: ofKind('BGPAdvertisement'),
    l2: ofKind('L2Advertisement'),
    aliases: new Map(ofKind('Community').flatMap(aliasesIn)),
    poolsOf: createPoolSelector(poolObjects, poolSets),
    previous,
  });
  const extras = extrasFrom(snapshot, previous?.config.frrExtras ?? '');
  const config = keepConfig(previous?.config, {
    pools: keepItems(previous?.config.pools ?? [], poolObjects.flatMap(pools.readGood)),
    peers: peers.peers,
    bfdProfiles: peers.bfdProfiles,
    bgpAdvertisements: advertisements.bgp,
    l2Advertisements: advertisements.l2,
    frrExtras: extras.text,
  });
  const problems = [
    ...found,
    ...admissionProblems(candidates, admission),
    ...peers.problems,
    ...advertisements.problems,
    ...danglingNames({
      advertisements: [...ofKind('BGPAdvertisement'), ...ofKind('L2Advertisement')],
      inUse,
    }),
    ...extras.problems,
  ];
  const memory: ConfigMemory = {
    config,
    problems,
    inputs,
    inUse,
    peers: peers.held,
    pools: pools.held(poolObjects),
    poolSets: setsInUse(config, poolSets),
  };
  return { config, problems, memory };
}

function objectsOfKind<Kind extends ConfigKind>(inUse: InUse, kind: Kind): ApiObjectOfKind<Kind>[] {
  const objects = [...inUse.values()].filter((object) => object.kind === kind);
  objects.sort(byText(({ metadata }) => metadata.name));
  return objects as readonly ConfigObject[] as ApiObjectOfKind<Kind>[];
}

/** Says what became of each object that is not used in its newest version. */
function admissionProblems(
  candidates: readonly Candidate<ConfigObject>[],
  { refused }: Admission<ConfigObject, Fault>,
): Problem[] {
  const unreadable = new Map<string, Problem>();
  const conflicts = candidates.flatMap(({ key, current, last }): Problem[] => {
    if (!current && last) {
      const { resource } = originOf(last);
      const message = `cannot be read; ${LAST_GOOD_STAYS}`;
      unreadable.set(JSON.stringify(resource), {
        ...problem(resource, { field: '', reason: 'InvalidValue', message }, { severity: 'warning' }),
      });
      return [];
    }
    const faults = refused.get(key) ?? [];
    return current
      ? faults.map((fault) => problemOf(current, fault, last ? { outcome: LAST_GOOD_STAYS } : {}))
      : [];
  });
  return [...unreadable.values(), ...conflicts];
}

interface PoolReader {
  readonly read: (object: IPAddressPool) => PoolReading;
  readonly readGood: (object: IPAddressPool) => readonly Pool[];
  readonly held: (objects: readonly IPAddressPool[]) => ReadonlyMap<IPAddressPool, HeldPool>;
}

/** Reads each pool once, and not at all when neither it nor what it depends on has changed. */
function createPoolReader(snapshot: ClusterSnapshot, previous: ConfigMemory | undefined): PoolReader {
  const namespaces = snapshot.objects.Namespace;
  const readings = new Map<IPAddressPool, PoolReading>();
  const readAgain = (object: IPAddressPool): PoolReading => {
    const held = previous?.pools.get(object);
    const dependsOnNamespaces = (object.spec.serviceAllocation?.namespaceSelectors ?? []).length > 0;
    const isFresh = held && (!dependsOnNamespaces || held.namespaces === namespaces);
    return isFresh ? { ok: true, pool: held.pool } : poolFrom(object, namespaces);
  };
  const read = (object: IPAddressPool): PoolReading => {
    const reading = readings.get(object) ?? readAgain(object);
    readings.set(object, reading);
    return reading;
  };
  const readGood = (object: IPAddressPool): readonly Pool[] => {
    const reading = read(object);
    return reading.ok ? [reading.pool] : [];
  };
  return {
    read,
    readGood,
    held: (objects) =>
      new Map(objects.flatMap((object) => readGood(object).map((pool) => [object, { pool, namespaces }]))),
  };
}

function keepConfig(before: Config | undefined, now: Config): Config {
  const keys = Object.keys(now) as (keyof Config)[];
  return before && keys.every((key) => before[key] === now[key]) ? before : now;
}

/** Keeps the sets that an advertisement has, so that the map does not grow with the years. */
function setsInUse(
  config: Config,
  sets: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Set([...config.bgpAdvertisements, ...config.l2Advertisements].map(({ pools }) => pools));
  return new Map([...sets].filter(([, set]) => used.has(set)));
}
