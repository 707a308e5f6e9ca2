import {
  allocateAll,
  allocateWaiting,
  createAllocatorState,
  withDecision,
  type PassResult,
  type ServiceDecision,
} from '../allocator/index.ts';
import type { ClusterSnapshot, ServiceObject } from '../api/index.ts';
import { buildConfig, type Config } from '../config/index.ts';
import { objectKey, type Problem } from '../core/problem.ts';

export interface ClusterPlanOptions {
  /** `--lb-class`: only Services of this class; absent or empty: only those without a class. */
  readonly loadBalancerClass?: string;
  /**
   * What a Service without any EndpointSlice means: `absent` (default), that nothing runs behind it, so it is not
   * announced; `assumed`, that every node has a usable endpoint, for manifests that hold Services alone.
   */
  readonly endpoints?: 'absent' | 'assumed';
}

/** What holds for all nodes. */
export interface ClusterPlan {
  readonly snapshot: ClusterSnapshot;
  readonly config: Config;
  /** Services as they read once every assignment is written. */
  readonly services: readonly ServiceObject[];
  /** One for each Service of our class, in key order: its addresses, or why it has none. */
  readonly assignments: readonly ServiceDecision[];
  /** Of the configuration, whatever the node. */
  readonly problems: readonly Problem[];
  readonly options: ClusterPlanOptions;
}

/**
 * Builds the configuration and gives every Service without an address one, as a controller with this snapshot alone
 * would. Addresses in a Service's status stay when they may.
 */
export function planCluster(snapshot: ClusterSnapshot, options: ClusterPlanOptions = {}): ClusterPlan {
  const { config, problems } = buildConfig(snapshot);
  const { services, assignments } = assignAddresses(snapshot.objects.Service, config, options);
  return { snapshot, config, services, assignments, problems, options };
}

/** The state lives for this call alone; `fromSpec`, since nobody will give these Services cluster IPs. */
function assignAddresses(
  services: readonly ServiceObject[],
  config: Config,
  { loadBalancerClass = '' }: ClusterPlanOptions,
): { readonly services: readonly ServiceObject[]; readonly assignments: readonly ServiceDecision[] } {
  const state = createAllocatorState({ loadBalancerClass, missingClusterIPs: 'fromSpec' });
  const decisions = new Map<string, ServiceDecision>();
  const note = (pass: PassResult): PassResult => {
    for (const decision of pass.decisions) decisions.set(decision.key, decision);
    return pass;
  };
  let { settled } = note(allocateAll(state, config.pools, services));
  // Each pass serves at least one more Service that waited, so this bound is never met.
  for (let left = services.length; !settled && left > 0; left -= 1)
    ({ settled } = note(allocateWaiting(state)));

  const decided = services.map((service) => {
    const decision = decisions.get(objectKey(service.metadata));
    return { service, decision };
  });
  return {
    services: decided.map(({ service, decision }) => (decision ? withDecision(service, decision) : service)),
    assignments: decided.flatMap(({ decision }) => (decision && isAssignment(decision) ? [decision] : [])),
  };
}

/** Services that neither want an address nor held one are no news. */
function isAssignment({ outcome, changed }: ServiceDecision): boolean {
  return outcome === 'assigned' || outcome === 'refused' || changed;
}
