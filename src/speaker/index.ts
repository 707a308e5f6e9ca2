/**
 * One node's speaker: source to FRR, and what FRR says back to the status. It wires the pure folders to the edges and
 * decides nothing itself.
 */
export { runSpeaker, type SpeakerOptions } from './speaker.ts';
export { clusterReports } from './cluster-reports.ts';
export { folderReports } from './folder-reports.ts';
export { createSpeakerMetrics } from './metrics.ts';
export { createLayer2Metrics } from './layer2/index.ts';
