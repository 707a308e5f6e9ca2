import { readFileSync } from 'node:fs';
import { allocateAll, createAllocatorState } from '../../src/allocator/index.ts';
import { buildConfig } from '../../src/config/index.ts';
import { compileFrrConf } from '../../src/frr-render/index.ts';
import { choiceOrder, createGrouping, type Candidate } from '../../src/l2/index.ts';
import { heapUsed } from '../../test/support/heap.ts';
import { addressOf, NAMESPACE, nodeName, snapshotOfSize } from './objects.ts';
import { createDecider } from './pure.ts';

/** A cluster far beyond what a bench can run, in one process without I/O: what each step takes and keeps. */
export interface SimulationStep {
  readonly what: string;
  readonly ms: number;
  /** More than before the step, after garbage was collected, MiB. */
  readonly keptMiB: number;
}

export interface SimulationSize {
  readonly nodes: number;
  readonly services: number;
  /** Addresses that a first choice is made for; with 5,000 nodes each takes as many hashes. */
  readonly elected: number;
}

export const SIMULATED: SimulationSize = { nodes: 5_000, services: 50_000, elected: 500 };

const ENDPOINTS = 3;
const PEERS = 4;
const MIB = 1_048_576;
const TEMPLATE = new URL('../../templates/frr.conf.hbs', import.meta.url);

/** @param onProgress told what is being done */
export function simulate(
  { nodes, services, elected }: SimulationSize,
  onProgress: (text: string) => void,
): readonly SimulationStep[] {
  const steps: SimulationStep[] = [];
  /** What a step returned stays, as it would in a controller or a speaker. */
  const kept: unknown[] = [];
  const step = <T>(what: string, action: () => T): T => {
    onProgress(`simulation: ${what}`);
    const before = heapUsed();
    const startedAt = performance.now();
    const result = action();
    const ms = Math.round(performance.now() - startedAt);
    kept.push(result);
    steps.push({ what, ms, keptMiB: Math.round(((heapUsed() - before) / MIB) * 10) / 10 });
    return result;
  };
  const size = { services, nodes, endpoints: ENDPOINTS, peers: PEERS };
  const waiting = step(`${services} Services without an address, as the controller keeps them`, () =>
    snapshotOfSize({ ...size, nodes: 1, endpoints: 0, isWaiting: true }),
  );
  step('allocation: an address of each family for all', () => {
    const { config } = buildConfig({ namespace: NAMESPACE, objects: waiting.objects, rejected: [] });
    const state = createAllocatorState();
    allocateAll(state, config.pools, waiting.objects.Service);
    return state;
  });
  const snapshot = step(
    `${services} Services, ${ENDPOINTS} endpoints each, ${nodes} nodes, as a speaker keeps them`,
    () => snapshotOfSize(size),
  );
  const names = Array.from({ length: nodes }, (_, index) => nodeName(index));
  const decide = createDecider();
  const decision = step('decision of one node about all, BGP and layer 2', () => decide(snapshot, names));
  step('groups of addresses that have one owner', () => {
    const grouping = createGrouping();
    grouping(decision.layer2.services);
    return grouping;
  });
  step('frr.conf', () => {
    const render = compileFrrConf(readFileSync(TEMPLATE, 'utf8'));
    return render(decision.state.bgp, { hostname: nodeName(0), logLevel: 'informational' });
  });
  const candidates = names.map((node): Candidate => ({ node, score: 0 }));
  step(`election: the order of ${nodes} nodes for ${elected} addresses`, () => {
    for (let index = 0; index < elected; index += 1) choiceOrder(candidates, addressOf(index));
  });
  return steps;
}
