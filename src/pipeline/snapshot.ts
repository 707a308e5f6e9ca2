import type { ApiKind, ApiObject, ApiObjectOfKind, ClusterSnapshot } from '../api/index.ts';
import { compareMeta, compareText } from '../core/order.ts';
import { objectKey, type ResourceRef } from '../core/problem.ts';

export interface SnapshotOptions {
  /** Where metallb.io objects live. */
  readonly namespace: string;
  /** Objects that could not be read (`ManifestResult.rejected`). */
  readonly rejected?: readonly ResourceRef[];
}

/** Objects of any kind in any order as a snapshot. Of two with one kind, namespace and name the first counts. */
export function snapshotOf(objects: readonly ApiObject[], options: SnapshotOptions): ClusterSnapshot {
  const ofKind = <K extends ApiKind>(kind: K): readonly ApiObjectOfKind<K>[] => {
    const byKey = new Map<string, ApiObjectOfKind<K>>();
    for (const object of objects) {
      if (!isOfKind(object, kind)) continue;
      const key = objectKey(object.metadata);
      if (!byKey.has(key)) byKey.set(key, object);
    }
    return [...byKey.values()].sort((a, b) => compareMeta(a.metadata, b.metadata));
  };
  return {
    namespace: options.namespace,
    objects: {
      IPAddressPool: ofKind('IPAddressPool'),
      BGPAdvertisement: ofKind('BGPAdvertisement'),
      L2Advertisement: ofKind('L2Advertisement'),
      BGPPeer: ofKind('BGPPeer'),
      BFDProfile: ofKind('BFDProfile'),
      Community: ofKind('Community'),
      Service: ofKind('Service'),
      EndpointSlice: ofKind('EndpointSlice'),
      Node: ofKind('Node'),
      Namespace: ofKind('Namespace'),
      Secret: ofKind('Secret'),
      ConfigMap: ofKind('ConfigMap'),
    },
    rejected: options.rejected ?? [],
  };
}

/** Names of the nodes there are, sorted. */
export function nodeNamesOf(snapshot: ClusterSnapshot): readonly string[] {
  return snapshot.objects.Node.map((node) => node.metadata.name).sort(compareText);
}

function isOfKind<K extends ApiKind>(object: ApiObject, kind: K): object is ApiObjectOfKind<K> {
  return object.kind === kind;
}
