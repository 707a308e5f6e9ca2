import {
  macOwners,
  type Layer2Group,
  type Layer2View,
  type LinkExclusion,
  type Link,
} from '../../l2/index.ts';
import { createPlaces, type Places } from './places.ts';

/** What a speaker knows of the world: replaced part by part as it changes, and read by everybody. */
export interface Situation {
  /** What speakers wrote down for each other. */
  readonly view: Layer2View;
  /** Whether any of it was read yet. */
  readonly hasView: boolean;
  /** This node's interfaces, all of them. */
  readonly links: readonly Link[];
  readonly groups: readonly Layer2Group[];
  /** By address. */
  readonly groupByIp: ReadonlyMap<string, Layer2Group>;
  readonly places: Places;
  /** Nodes by the hardware addresses of their interfaces. */
  readonly owners: ReadonlyMap<string, string>;
}

const NO_VIEW: Layer2View = { isFresh: false, speakers: new Map(), ownerships: new Map(), moves: new Map() };

/** Before anything has been heard of. */
export function firstSituation(exclusion: LinkExclusion): Situation {
  return {
    ...{ view: NO_VIEW, hasView: false, links: [], groups: [] },
    groupByIp: new Map(),
    places: createPlaces({ links: [], exclusion, services: [] }),
    owners: new Map(),
  };
}

export function withView(situation: Situation, view: Layer2View): Situation {
  const { speakers } = situation.view;
  const owners = view.speakers === speakers ? situation.owners : macOwners(view.speakers);
  return { ...situation, view, hasView: true, owners };
}

export function withGroups(
  situation: Situation,
  { groups, links, exclusion }: Pick<Situation, 'groups' | 'links'> & { readonly exclusion: LinkExclusion },
): Situation {
  return {
    ...{ ...situation, groups, links },
    groupByIp: new Map(groups.flatMap((group) => group.ips.map((ip) => [ip.text, group]))),
    places: createPlaces({ links, exclusion, services: groups.flatMap(({ services }) => services) }),
  };
}
