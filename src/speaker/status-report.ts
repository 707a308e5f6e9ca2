import {
  peerText,
  vrfLabel,
  type BfdSession,
  type BgpSession,
  type ObservedState,
} from '../bfd-status/index.ts';
import { configurationState, type StatusObject } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';
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

/** Of a speaker's ConfigurationState. */
export function stateName(node: string): string {
  return `speaker-${node}`;
}

/** Whether this speaker's configuration is in use. */
export function speakerState({ node, namespace, problems }: SpeakerReport): StatusObject {
  return configurationState({
    ...{ name: stateName(node), namespace, component: 'speaker', node, problems },
    conditionType: 'configReconcilerValid',
  });
}
