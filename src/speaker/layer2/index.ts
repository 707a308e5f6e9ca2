/**
 * Layer 2 on this node: sockets, clocks and the other speakers, wired to the decisions of `l2/`. It answers what its
 * tables say and owns what its keeper says, and decides neither.
 */
export { startLayer2 } from './layer2.ts';
export type { Layer2, Layer2Event, SpeakerSession } from './options.ts';
export { createLayer2Metrics, type Layer2Metrics } from './metrics.ts';
