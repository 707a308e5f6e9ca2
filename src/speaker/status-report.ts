import {
  peerText,
  vrfLabel,
  type BfdSession,
  type BgpSession,
  type ObservedState,
} from '../bfd-status/index.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import type { NodeDesiredState, ServiceVerdict } from '../reconciler/index.ts';

export interface SpeakerReport {
  readonly node: string;
  /** Namespace of the metallb.io objects. */
  readonly namespace: string;
  readonly desired: NodeDesiredState;
  readonly observed: ObservedState;
  readonly problems: readonly Problem[];
}

/**
 * What a speaker says of its node, as API objects: one ConfigurationState and one BGPSessionState for each session
 * (their fields are those of MetalLB and frr-k8s).
 */
export function speakerStatusObjects(report: SpeakerReport): object[] {
  return [configurationState(report), ...sessionStates(report)];
}

/** A ServiceBGPStatus for each Service: the peers that it is announced to, or the reason why it is not. */
export function serviceStatusObjects(report: SpeakerReport): object[] {
  return report.desired.services.map((verdict) => serviceStatus(report, verdict));
}

function configurationState({ node, namespace, problems }: SpeakerReport): object {
  const errors = problems.filter(({ severity }) => severity === 'error').map(formatProblem);
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: {
      name: `speaker-${node}`,
      namespace,
      labels: { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': node },
    },
    status: {
      result: errors.length === 0 ? 'Valid' : 'Invalid',
      errorSummary: errors.join('\n'),
      conditions: [
        {
          type: 'configReconcilerValid',
          status: errors.length === 0 ? 'True' : 'False',
          reason: errors.length === 0 ? 'Reconciled' : 'ConfigurationError',
          message: errors.join('\n'),
        },
      ],
    },
  };
}

function sessionStates({ node, namespace, observed }: SpeakerReport): object[] {
  return [...observed.bgp.values()].map((session) => ({
    apiVersion: 'frrk8s.metallb.io/v1beta1',
    kind: 'BGPSessionState',
    metadata: {
      name: sessionName(node, session),
      namespace,
      labels: {
        'frrk8s.metallb.io/node': node,
        'frrk8s.metallb.io/peer': peerText(session.peer).replaceAll(':', '-'),
        'frrk8s.metallb.io/vrf': session.vrf,
      },
    },
    status: {
      node,
      peer: peerText(session.peer),
      vrf: session.vrf,
      bgpStatus: session.state,
      bfdStatus: bfdOf(session, observed)?.state ?? 'N/A',
      prefixesSent: Object.fromEntries(session.prefixes.map(({ family, sent }) => [family, sent])),
      ...(session.lastReset && session.state !== 'Established'
        ? { lastResetReason: session.lastReset.reason }
        : {}),
    },
  }));
}

/** Both ends of an unnumbered session have link-local addresses; BFD knows the peer by that one. */
function bfdOf(session: BgpSession, observed: ObservedState): BfdSession | undefined {
  const address = session.peer.kind === 'address' ? session.peer.address : session.remoteAddress;
  return [...observed.bfd.values()].find((bfd) => bfd.vrf === session.vrf && bfd.peer.text === address?.text);
}

function sessionName(node: string, session: BgpSession): string {
  return [node, peerText(session.peer).replaceAll(':', '-'), vrfLabel(session.vrf)].join('-').toLowerCase();
}

function serviceStatus({ node, namespace }: SpeakerReport, verdict: ServiceVerdict): object {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ServiceBGPStatus',
    metadata: {
      name: `bgp-${node}-${verdict.namespace}-${verdict.name}`,
      namespace,
      labels: {
        'metallb.io/node': node,
        'metallb.io/service-name': verdict.name,
        'metallb.io/service-namespace': verdict.namespace,
      },
    },
    status: {
      node,
      serviceName: verdict.name,
      serviceNamespace: verdict.namespace,
      peers: verdict.bgp.kind === 'announce' ? verdict.bgp.peers : [],
      ...(verdict.bgp.kind === 'withdraw' ? { reason: verdict.bgp.reason } : {}),
    },
  };
}
