import { resolve } from 'node:path';
import { objectKey } from '../core/problem.ts';
import {
  readClusterLayer2,
  readClusterOwnership,
  requestClusterMove,
  withdrawClusterMove,
  type ApiClient,
} from '../k8s/index.ts';
import { serviceL2StatusName, type OwnershipRecord, type WrittenLayer2 } from '../l2/index.ts';
import { readFolderLayer2, requestFolderMove, statusFolderOf, withdrawFolderMove } from '../source/index.ts';

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

export interface MoveRequest {
  readonly service: ServiceName;
  readonly node: string;
}

/**
 * Where speakers write down who has which addresses, and where they find what people ask of them. Everything throws the
 * error of the file system or an ApiError.
 */
export interface Layer2Place {
  readonly read: (signal: AbortSignal) => Promise<WrittenLayer2>;
  /** Who has the addresses of a Service; undefined: nobody. */
  readonly ownerOf: (service: ServiceName, signal: AbortSignal) => Promise<OwnershipRecord | undefined>;
  readonly ask: (request: MoveRequest) => Promise<void>;
  /** Takes a request back, unless somebody has asked for something else since. */
  readonly withdraw: (request: MoveRequest) => Promise<void>;
  /** How often it may be looked, in milliseconds. */
  readonly pollMs: number;
}

/** @param source the folder or file of manifests that the speakers were started with */
export function folderPlace(source: string): Layer2Place {
  const folder = statusFolderOf(resolve(source));
  const read = (): WrittenLayer2 => readFolderLayer2(folder);
  return {
    read: () => Promise.resolve().then(read),
    ownerOf: (service) => Promise.resolve().then(() => read().ownerships.get(objectKey(service))),
    ask: (request) =>
      Promise.resolve().then(() => {
        requestFolderMove(folder, request);
      }),
    withdraw: (request) =>
      Promise.resolve().then(() => {
        withdrawFolderMove(folder, request);
      }),
    pollMs: 50,
  };
}

/** @param namespace the one in which the speakers run */
export function clusterPlace(client: ApiClient, namespace: string): Layer2Place {
  return {
    read: (signal) => readClusterLayer2({ client, namespace, signal }),
    ownerOf: (service, signal) => readClusterOwnership(client, { namespace, service, signal }),
    ask: ({ service, node }) =>
      requestClusterMove(client, { namespace, name: serviceL2StatusName(service), node }),
    withdraw: ({ service, node }) => withdrawClusterMove(client, { namespace, service, node }),
    pollMs: 100,
  };
}
