import type { BfdProfile } from '../config/index.ts';
import type { BfdPeer } from '../reconciler/index.ts';

/** Statements of one `profile` under `bfd` (FRR documentation, "BFD"); what is unset is left to bfdd's defaults. */
export function bfdProfileStatements(profile: BfdProfile): string[] {
  const values: readonly (readonly [string, number | undefined])[] = [
    ['detect-multiplier', profile.detectMultiplier],
    ['receive-interval', profile.receiveIntervalMs],
    ['transmit-interval', profile.transmitIntervalMs],
    ['echo receive-interval', profile.echoIntervalMs],
    ['echo transmit-interval', profile.echoIntervalMs],
    ['minimum-ttl', profile.minimumTtl],
  ];
  return [
    ...values.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])),
    ...(profile.echoMode ? ['echo-mode'] : []),
    ...(profile.passiveMode ? ['passive-mode'] : []),
  ];
}

/**
 * Between speakers: three packets of 50 ms each may be missed, so that a node that is away is known of after 150 ms.
 * bfdd's own detect multiplier is 3.
 */
const SPEAKER_INTERVAL_MS = 50;

/** What names a session between speakers under `bfd`: `peer ...`. */
export function bfdPeerName({ peer, localAddress, interface: link }: BfdPeer): string {
  return `${peer.text} local-address ${localAddress.text} interface ${link}`;
}

export const BFD_PEER_STATEMENTS: readonly string[] = [
  `receive-interval ${String(SPEAKER_INTERVAL_MS)}`,
  `transmit-interval ${String(SPEAKER_INTERVAL_MS)}`,
];
