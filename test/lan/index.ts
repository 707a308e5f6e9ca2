/**
 * A LAN as a bystander sees it: recordings of who says to have which address, a judge that turns them into owners, gaps
 * and overlaps, a host that keeps asking, and the faults that can strike. Nothing here knows the product: its own words
 * about itself are no evidence.
 */
export * from './asking.ts';
export * from './fault-plan.ts';
export * from './fault-run.ts';
export * from './frames.ts';
export * from './hosts.ts';
export * from './judge.ts';
export * from './manifests.ts';
export * from './one-lan.ts';
export * from './pcap.ts';
export * from './recorder.ts';
export * from './sending.ts';
export * from './well.ts';
