import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { StatusObject } from '../api/index.ts';
import { changedMiddle } from '../core/changed-middle.ts';
import { compareMeta } from '../core/order.ts';
import { metaOfKey, objectKey } from '../core/problem.ts';
import { exchanged } from '../core/sorted.ts';
import {
  createEventRecorder,
  RESOURCES,
  StatusObjects,
  type ApiClient,
  type EventText,
  type OwnerReference,
} from '../k8s/index.ts';
import type { ServiceVerdict } from '../reconciler/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { speakerState, stateName, type PublishReport } from './status-report.ts';

const COMPONENT = 'metallb-speaker';
const SERVICE_NAME = 'metallb.io/service-name';
const SERVICE_NAMESPACE = 'metallb.io/service-namespace';
/** MetalLB has one field manager for each condition. */
const managerOf = (kind: StatusObject['kind']): string =>
  kind === 'ConfigurationState' ? 'configReconciler' : COMPONENT;
/** For each node: all of them hear of a change at the same moment, and 500 spread what they write of it over 5 s. */
const SPREAD_MS = 10;

export interface ClusterReports {
  readonly publish: PublishReport;
  /** Writes an Event about a Service, by `namespace/name`. */
  readonly event: (service: string, event: EventText) => void;
  readonly idle: () => Promise<void>;
}

/**
 * Reports as objects of the API server: the ConfigurationState, a ServiceBGPStatus for each Service announced from here,
 * and an Event on a Service when its announcement begins.
 */
export function clusterReports(options: {
  readonly client: ApiClient;
  /** Of the metallb.io objects. */
  readonly namespace: string;
  readonly node: string;
  readonly owner: OwnerReference | undefined;
  /** How many nodes the cluster has. */
  readonly nodes: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): ClusterReports {
  const { client, namespace, node, owner, nodes, logger, signal } = options;
  const common = { client, logger, signal, spreadMs: () => nodes() * SPREAD_MS };
  const queries = [
    { type: RESOURCES.ServiceBGPStatus, namespace, labelSelector: `metallb.io/node=${node}` },
    { type: RESOURCES.ConfigurationState, namespace, name: stateName(node) },
  ];
  const objects = new StatusObjects({ ...common, managerOf, owner, queries });
  const events = createEventRecorder({ ...common, component: COMPONENT, host: node });
  const bgpStatusOf = createBgpStatuses(node);
  let verdicts: readonly ServiceVerdict[] = [];
  /** In the order of the Services. */
  let statuses: readonly StatusObject[] = [];
  let state: StatusObject | undefined;
  const publish: PublishReport = (report) => {
    const { removed, added } = changedMiddle(verdicts, report.desired.services);
    verdicts = report.desired.services;
    const [gone, come] = [removed.filter(isAnnounced), added.filter(isAnnounced)];
    const statusesOf = (announced: readonly ServiceVerdict[]): readonly StatusObject[] =>
      announced.flatMap((verdict) => bgpStatusOf(verdict, report.namespace) ?? []);
    statuses = exchanged(statuses, statusesOf(gone), statusesOf(come), byService);
    const stateNow = speakerState(report);
    state = isDeepStrictEqual(state, stateNow) && state ? state : stateNow;
    objects.publish([...statuses, state]);
    const before = new Set(gone.map(objectKey));
    for (const { namespace, name } of come) {
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
  };
  const event = (service: string, text: EventText): void => {
    events.record({ kind: 'Service', ...metaOfKey(service) }, text);
  };
  return { publish, event, idle: () => objects.idle() };
}

function isAnnounced({ bgp }: ServiceVerdict): boolean {
  return bgp.kind === 'announce';
}

function byService(a: StatusObject, b: StatusObject): number {
  return compareMeta(serviceOf(a), serviceOf(b));
}

function serviceOf({ metadata: { labels } }: StatusObject): {
  readonly namespace: string;
  readonly name: string;
} {
  return { namespace: labels?.[SERVICE_NAMESPACE] ?? '', name: labels?.[SERVICE_NAME] ?? '' };
}

/**
 * Gives the function that makes the ServiceBGPStatus of a verdict; undefined: it is announced to nobody. The same
 * verdict gives the same object, so that only what changed is made, compared and written.
 */
function createBgpStatuses(
  node: string,
): (verdict: ServiceVerdict, namespace: string) => StatusObject | undefined {
  const made = new WeakMap<ServiceVerdict, StatusObject>();
  return (verdict, namespace) => {
    const known = made.get(verdict);
    if (known) return known;
    const { namespace: serviceNamespace, name: serviceName, bgp } = verdict;
    if (bgp.kind !== 'announce' || bgp.peers.length === 0) return undefined;
    const object: StatusObject = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ServiceBGPStatus',
      metadata: {
        name: nameFor(node, `${serviceNamespace}/${serviceName}`),
        namespace,
        labels: {
          'metallb.io/node': node,
          [SERVICE_NAME]: serviceName,
          [SERVICE_NAMESPACE]: serviceNamespace,
        },
      },
      status: { node, serviceName, serviceNamespace, peers: bgp.peers },
    };
    made.set(verdict, object);
    return object;
  };
}

/** The same for the same Service and node after every restart, so that nothing has to be looked up before it is written. */
function nameFor(node: string, service: string): string {
  return `bgp-${createHash('sha256').update(`${node}\0${service}`).digest('hex').slice(0, 16)}`;
}
