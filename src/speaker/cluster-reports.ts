import { createHash } from 'node:crypto';
import type { StatusObject } from '../api/index.ts';
import { objectKey } from '../core/problem.ts';
import { createEventRecorder, StatusObjects, type ApiClient, type OwnerReference } from '../k8s/index.ts';
import type { ServiceVerdict } from '../reconciler/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { speakerState, type PublishReport, type SpeakerReport } from './status-report.ts';

const COMPONENT = 'metallb-speaker';

export interface ClusterReports {
  readonly publish: PublishReport;
  readonly idle: () => Promise<void>;
}

/**
 * Reports as objects of the API server: the ConfigurationState, a ServiceBGPStatus for each Service announced from here,
 * and an Event on a Service when its announcement begins.
 */
export function clusterReports(options: {
  readonly client: ApiClient;
  readonly node: string;
  readonly owner: OwnerReference | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): ClusterReports {
  const { client, node, owner, logger, signal } = options;
  const objects = new StatusObjects({ client, manager: COMPONENT, owner, logger, signal });
  const events = createEventRecorder({ client, component: COMPONENT, host: node, logger, signal });
  /** Services announced in the report before; undefined before the first, when nobody knows what is new. */
  let announced: ReadonlySet<string> | undefined;
  const publish: PublishReport = (report) => {
    const now = report.desired.services.filter(({ bgp }) => bgp.kind === 'announce');
    objects.publish([speakerState(report), ...bgpStatuses(report, now)]);
    if (announced === undefined) dropStale(report.namespace);
    const before = announced ?? new Set();
    for (const { namespace, name } of now) {
      if (before.has(objectKey({ namespace, name }))) continue;
      events.record(
        { kind: 'Service', namespace, name },
        {
          type: 'Normal',
          reason: 'nodeAssigned',
          message: `announcing from node "${node}" with protocol "bgp"`,
        },
      );
    }
    announced = new Set(now.map(objectKey));
  };
  const dropStale = (namespace: string): void => {
    objects
      .dropStale({ kind: 'ServiceBGPStatus', namespace, labelSelector: `metallb.io/node=${node}` })
      .catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error }, 'statuses of an earlier run cannot be listed');
      });
  };
  return { publish, idle: () => objects.idle() };
}

function bgpStatuses(
  { node, namespace }: SpeakerReport,
  verdicts: readonly ServiceVerdict[],
): readonly StatusObject[] {
  return verdicts.flatMap(({ namespace: serviceNamespace, name: serviceName, bgp }) =>
    bgp.kind !== 'announce' || bgp.peers.length === 0
      ? []
      : [
          {
            apiVersion: 'metallb.io/v1beta1',
            kind: 'ServiceBGPStatus',
            metadata: {
              name: nameFor(node, `${serviceNamespace}/${serviceName}`),
              namespace,
              labels: {
                'metallb.io/node': node,
                'metallb.io/service-name': serviceName,
                'metallb.io/service-namespace': serviceNamespace,
              },
            },
            status: { node, serviceName, serviceNamespace, peers: bgp.peers },
          },
        ],
  );
}

/** The same for the same Service and node after every restart, so that nothing has to be looked up before it is written. */
function nameFor(node: string, service: string): string {
  return `bgp-${createHash('sha256').update(`${node}\0${service}`).digest('hex').slice(0, 16)}`;
}
