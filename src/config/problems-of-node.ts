import type { ClusterSnapshot } from '../api/index.ts';
import type { Problem, ResourceRef } from '../core/problem.ts';
import { anySelectorMatches } from '../core/selector.ts';
import { labelsOf, type NodeIdentity, type NodeSelection } from './select-for-node.ts';

/**
 * Leaves out what is wrong with BGPPeers and BGPAdvertisements of other nodes alone: with those this node has nothing to do.
 * An object that selects this node no more, and whose last version is still in use here, concerns it.
 */
export function problemsOfNode(
  problems: readonly Problem[],
  { objects }: Pick<ClusterSnapshot, 'objects'>,
  { node, selection }: { readonly node: NodeIdentity; readonly selection: NodeSelection },
): readonly Problem[] {
  if (problems.length === 0) return problems;
  const labels = labelsOf(node);
  const inUse = { BGPPeer: selection.peers, BGPAdvertisement: selection.bgpAdvertisements };
  const isElsewhere = ({ kind, namespace, name }: ResourceRef): boolean => {
    if (kind !== 'BGPPeer' && kind !== 'BGPAdvertisement') return false;
    const object = [...objects[kind]].find(
      ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
    );
    if (object === undefined || inUse[kind].some((each) => each.name === name)) return false;
    return !anySelectorMatches(object.spec.nodeSelectors, labels);
  };
  return problems.filter(({ resource }) => resource === undefined || !isElsewhere(resource));
}
