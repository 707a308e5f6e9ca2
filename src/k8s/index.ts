/**
 * The Kubernetes API as a source of objects, and as the place where statuses, Events and Leases stand.
 *
 * Decides how a watch goes on after a fault, what of an object is kept, and when a write is tried again. Never decides
 * about an address or a route, and never lets a write stand in the way of either.
 */
export { ApiClient, type ApiRequest } from './api-client.ts';
export { ApiError } from './api-error.ts';
export { ClusterStore } from './cluster-store.ts';
export {
  clusterSource,
  controllerQueries,
  speakerQueries,
  type ClusterSourceOptions,
} from './cluster-source.ts';
export { connect, connectTo, podNamespace, podReference } from './connect.ts';
export { createEventRecorder, type EventRecorder, type EventText } from './event-recorder.ts';
export { clusterLayer2Store, requestClusterMove, type ClusterLayer2StoreOptions } from './layer2-store.ts';
export { readClusterLayer2, readClusterOwnership, withdrawClusterMove } from './layer2-look.ts';
export type { RawObject } from './raw-object.ts';
export { readObjects } from './read-objects.ts';
export { RESOURCES } from './resources.ts';
export { runWithLease } from './leader-election.ts';
export { createScrapeAuthorizer } from './scrape-authorizer.ts';
export { ServiceStatuses } from './service-statuses.ts';
export { StatusObjects, type OwnerReference } from './status-objects.ts';
