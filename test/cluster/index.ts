/**
 * A real Kubernetes on this machine for tests: an API server alone (`startApiServer`), or a whole cluster of nodes, a router
 * and a client (`clusterUp`, `npm run cluster`). It starts, breaks and ends them; it knows nothing of the product.
 */
export { apiClient, ApiStatusError, type ApiClient, type Json } from './api-client.ts';
export { startApiServer, type ApiServer, type ApiServerOptions, type TokenOptions } from './api-server.ts';
export type { ApiUser } from './credentials.ts';
export { clusterDown } from './down.ts';
export { ClusterError, type ClusterErrorCode } from './error.ts';
export { encodeImage, type ImageInput } from './image.ts';
export { crashApiServer } from './outage.ts';
export type { ClusterPlan, HostPlan, NodePlan } from './plan.ts';
export { bootNodeAgain, crashNode } from './power.ts';
export { apiServerPrograms, missingForCluster } from './programs.ts';
export { ROUTER_ASN } from './router-config.ts';
export type { TarEntry } from './tar.ts';
export { describeWithCluster, startTestCluster, type TestCluster } from './test-cluster.ts';
export { clusterUp, type Cluster, type ClusterUp } from './up.ts';
