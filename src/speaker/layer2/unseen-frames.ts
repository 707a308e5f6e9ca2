import type { PacketSocket } from '../../rawsock/index.ts';

/** Why a frame never came to be judged; the first two may also be found by `l2/`, of frames that came so far. */
export type UnseenReason = 'vlan-tagged' | 'other-destination' | 'oversized' | 'receive-overflow';

/** How many frames more of each reason. */
export type UnseenFrames = readonly (readonly [reason: UnseenReason, count: number])[];

/** Gives the function that says how many frames a socket lost or set aside since it was last asked, also after its end. */
export function unseenFramesOf(socket: Pick<PacketSocket, 'stats'>): () => UnseenFrames {
  let before: UnseenFrames = [];
  return () => {
    const { tagged, otherHost, oversized, dropped } = socket.stats();
    const now: UnseenFrames = [
      ['vlan-tagged', tagged],
      ['other-destination', otherHost],
      ['oversized', oversized],
      ['receive-overflow', dropped],
    ];
    const more: UnseenFrames = now.map(([reason, count], at) => [reason, count - (before[at]?.[1] ?? 0)]);
    before = now;
    return more.filter(([, count]) => count > 0);
  };
}
