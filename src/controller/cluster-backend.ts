import { isOurs } from '../allocator/index.ts';
import type { ServiceObject, StatusObject } from '../api/index.ts';
import {
  clusterSource,
  controllerQueries,
  createEventRecorder,
  RESOURCES,
  ServiceStatuses,
  StatusObjects,
  type ApiClient,
  type OwnerReference,
} from '../k8s/index.ts';
import type { ClusterSource } from '../source/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { OpenBackend } from './backend.ts';
import { CONTROLLER_STATE, controllerStatusObjects } from './report.ts';
import { createReporter } from './reporter.ts';
import { refOf } from './status-of-decision.ts';

const COMPONENT = 'metallb-controller';
/** MetalLB has one field manager for each condition. */
const managerOf = (kind: StatusObject['kind']): string =>
  kind === 'ConfigurationState' ? 'poolReconciler' : COMPONENT;

/** The API server: statuses are written into the Services, and Events are recorded. */
export function clusterBackend(options: {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly loadBalancerClass: string;
  /** Of the ConfigurationState. */
  readonly owner: OwnerReference | undefined;
  readonly logger: Logger;
}): OpenBackend {
  const { client, namespace, loadBalancerClass, owner, logger } = options;
  return ({ signal, report, onFailure }) => {
    const statuses = new ServiceStatuses({ client, logger, signal, onFailure });
    const events = createEventRecorder({ client, component: COMPONENT, logger, signal });
    const queries = [
      { type: RESOURCES.ConfigurationState, namespace, name: CONTROLLER_STATE },
      { type: RESOURCES.IPAddressPool, namespace },
    ];
    const objects = new StatusObjects({ client, managerOf, owner, queries, logger, signal });
    const reporter = createReporter({
      write: () => {
        objects.publish(controllerStatusObjects(report()));
      },
      logger,
      signal,
    });
    const watched = clusterSource({
      client,
      namespace,
      queries: controllerQueries(namespace),
      withSecrets: false,
      isEcho: statuses.isEcho.bind(statuses),
      onService: { put: statuses.observe.bind(statuses), remove: statuses.unobserve.bind(statuses) },
      logger,
    });
    const adopt = (services: readonly ServiceObject[]): void => {
      const held = services.filter(
        (service) => isOurs(service, loadBalancerClass) && service.status.ingress.length > 0,
      );
      for (const { metadata } of held) statuses.adopt(metadata);
      logger.info({ adopted: held.length }, 'controller started');
    };
    return {
      source: adoptingFirst(watched, adopt),
      statuses,
      missingClusterIPs: 'wait',
      flush: statuses.flush.bind(statuses),
      reportChanged: reporter.request,
      record: (key, event) => {
        events.record({ kind: 'Service', ...refOf(key), uid: statuses.uidOf(key) }, event);
        logger.debug({ service: key, reason: event.reason, message: event.message }, 'event');
      },
      close: async () => {
        await Promise.all([statuses.idle(), objects.idle()]);
      },
    };
  };
}

/** Every address in a status is known before anything is decided, as an earlier run's. */
function adoptingFirst(
  source: ClusterSource,
  adopt: (services: readonly ServiceObject[]) => void,
): ClusterSource {
  return (onState, signal) => {
    let isFirst = true;
    return source((state, heardAtMs) => {
      if (isFirst) adopt(state.snapshot.objects.Service);
      isFirst = false;
      onState(state, heardAtMs);
    }, signal);
  };
}
