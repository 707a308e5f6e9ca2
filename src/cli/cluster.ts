import { ApiError, connect, podReference, type ApiClient, type OwnerReference } from '../k8s/index.ts';
import { UserError } from './user-error.ts';

/** The port of the health endpoints in a cluster, as MetalLB's. */
export const CLUSTER_HEALTH_PORT = 17_472;

export interface Cluster {
  readonly client: ApiClient;
  /** The pod that this process is in; absent outside a cluster. */
  readonly owner: OwnerReference | undefined;
}

/**
 * Opens the cluster that this process belongs to.
 * @throws {UserError} when there is none, or the own pod cannot be read
 */
export async function openCluster(options: {
  readonly namespace: string;
  readonly podName: string | undefined;
}): Promise<Cluster> {
  const { namespace, podName } = options;
  const client = await connect().catch((cause: unknown) => {
    throw new UserError(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  if (podName === undefined) return { client, owner: undefined };
  try {
    return { client, owner: await podReference(client, { namespace, name: podName }) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new UserError(
      `pod ${namespace}/${podName}, which --pod-name names, cannot be read: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}
