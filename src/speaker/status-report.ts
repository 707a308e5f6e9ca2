import {
  peerText,
  vrfLabel,
  type BfdSession,
  type BgpSession,
  type ObservedState,
} from '../bfd-status/index.ts';
import type { StatusObject } from '../api/index.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import type { NodeDesiredState } from '../reconciler/index.ts';

export interface SpeakerReport {
  readonly node: string;
  /** Namespace of the metallb.io objects. */
  readonly namespace: string;
  readonly desired: NodeDesiredState;
  readonly observed: ObservedState;
  readonly problems: readonly Problem[];
}

/**
 * Takes what a speaker says of its node to where people look for it.
 * @throws when it cannot be written
 */
export type PublishReport = (report: SpeakerReport) => void;

/** One BGPSessionState for each session; its fields are those of frr-k8s. */
export function sessionStates({ node, namespace, observed }: SpeakerReport): object[] {
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

/** Whether the configuration is in use; its fields are those of MetalLB. */
export function configurationState({ node, namespace, problems }: SpeakerReport): StatusObject {
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
