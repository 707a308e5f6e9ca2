import { randomFrom } from './random.ts';

/** What can strike one host, or all. */
export const FAULT_KINDS = [
  /** No frame passes its link; the carrier stays. */
  'cut',
  /** Its link loses the carrier. */
  'unplugged',
  /** Its link comes and goes. */
  'flapping',
  /** Every process stands still; the kernel goes on. */
  'frozen',
  /** No power. */
  'power',
  /** The speaker is killed, and started again a second later. */
  'speaker',
  /** FRR's daemons are killed, and started again by watchfrr. */
  'frr',
  /** It and perhaps one more are in another part of the LAN than the asker. */
  'partition',
  /** It can write down nothing: its API server, or folder, is read only. */
  'api',
  /** The same for all. */
  'api-all',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One thing done to the LAN. */
export interface FaultStep {
  readonly action: 'strike' | 'heal';
  readonly kind: FaultKind;
  readonly nodes: readonly string[];
  /** How long to leave everything alone afterwards. */
  readonly thenMs: number;
  /** After this step at least one node has nothing wrong with it. */
  readonly hasCandidate: boolean;
}

/** These end by themselves; for so long their node does not count as one that can have an address. */
const RECOVERY_MS: Partial<Record<FaultKind, number>> = { speaker: 8_000, frr: 8_000, flapping: 3_000 };
/** A node that was without power starts everything anew. */
const START_MS = 10_000;
const HEALTHY_KINDS: ReadonlySet<FaultKind> = new Set(['api', 'api-all']);

/**
 * A sequence of random faults, the same for the same seed. Never more nodes at once than leave one with nothing wrong,
 * and at the end nothing is.
 */
export function faultPlan(options: {
  readonly seed: number;
  readonly faults: number;
  readonly nodes: readonly string[];
}): readonly FaultStep[] {
  const { seed, faults, nodes } = options;
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  };
  const steps: FaultStep[] = [];
  const standing: { readonly kind: FaultKind; readonly nodes: readonly string[] }[] = [];
  const wellAtMs = new Map<string, number>();
  let nowMs = 0;
  const wellNodes = (): string[] =>
    nodes.filter(
      (node) =>
        (wellAtMs.get(node) ?? 0) <= nowMs &&
        !standing.some((fault) => !HEALTHY_KINDS.has(fault.kind) && fault.nodes.includes(node)),
    );
  const step = (action: FaultStep['action'], kind: FaultKind, on: readonly string[]): void => {
    const thenMs = 1_200 + Math.floor(random() * 1_800);
    steps.push({ action, kind, nodes: on, thenMs, hasCandidate: wellNodes().length > 0 });
    nowMs += thenMs;
  };
  const heal = (): void => {
    const [fault] = standing.splice(Math.floor(random() * standing.length), 1);
    if (fault === undefined) return;
    if (fault.kind === 'power') for (const node of fault.nodes) wellAtMs.set(node, nowMs + START_MS);
    step('heal', fault.kind, fault.nodes);
  };
  let struck = 0;
  while (struck < faults) {
    const well = wellNodes();
    const canStrike = well.length > 1;
    if (standing.length > 0 && (!canStrike || random() < 0.45)) {
      heal();
      continue;
    }
    if (!canStrike) {
      // Nothing can be healed, so something is still starting: it takes its time.
      const last = steps.at(-1);
      if (last === undefined) throw new Error('no node is well at the start');
      steps[steps.length - 1] = { ...last, thenMs: last.thenMs + 1_000 };
      nowMs += 1_000;
      continue;
    }
    const kind = pick(FAULT_KINDS.filter((each) => !standing.some((fault) => fault.kind === each)));
    const count = kind === 'partition' && well.length > 2 && random() < 0.4 ? 2 : 1;
    const on = kind === 'api-all' ? nodes : shuffled(well, random).slice(0, count).sort();
    const recovery = RECOVERY_MS[kind];
    if (recovery === undefined) standing.push({ kind, nodes: on });
    else for (const node of on) wellAtMs.set(node, nowMs + recovery);
    step('strike', kind, on);
    struck += 1;
  }
  while (standing.length > 0) heal();
  return steps;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
