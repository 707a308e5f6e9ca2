import {
  peerText,
  vrfLabel,
  type BfdSession,
  type BgpSession,
  type ObservedState,
} from '../bfd-status/index.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import type { NodeDesiredState, ServiceVerdict } from '../reconciler/index.ts';
import { renderYaml } from '../source/index.ts';

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
export function speakerStatusText(report: SpeakerReport): string {
  return renderYaml([configurationState(report), ...sessionStates(report)]);
}

/**
 * A ServiceBGPStatus for each Service: the peers that it is announced to, or the reason why it is not. One line each,
 * in flow style: there may be ten thousand, and nobody edits them.
 */
export function announcedStatusText(report: SpeakerReport): string {
  const items = report.desired.services.map(
    (verdict) => `- status: ${JSON.stringify(serviceStatus(report, verdict))}\n`,
  );
  const head = 'apiVersion: metallb.io/v1beta1\nkind: ServiceBGPStatusList\n';
  return `${head}${items.length === 0 ? 'items: []\n' : `items:\n${items.join('')}`}`;
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

/** What names the object in a cluster (labels, a generated name) is left out here: the status says it all. */
function serviceStatus({ node }: SpeakerReport, verdict: ServiceVerdict): object {
  return {
    node,
    serviceNamespace: verdict.namespace,
    serviceName: verdict.name,
    peers: verdict.bgp.kind === 'announce' ? verdict.bgp.peers : [],
    ...(verdict.bgp.kind === 'withdraw' ? { reason: verdict.bgp.reason } : {}),
  };
}
