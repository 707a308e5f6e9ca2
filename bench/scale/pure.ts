import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { allocateAll, applyChanges, createAllocatorState } from '../../src/allocator/index.ts';
import type { ApiObject, ClusterSnapshot, EndpointSliceObject, ServiceObject } from '../../src/api/index.ts';
import { buildConfig } from '../../src/config/index.ts';
import { ipFromValue } from '../../src/core/ip.ts';
import { compareText } from '../../src/core/order.ts';
import { createFrrConfigParser, diffFrrConfig } from '../../src/frr-config/index.ts';
import { compileFrrConf } from '../../src/frr-render/index.ts';
import { ClusterStore, RESOURCES, type RawObject } from '../../src/k8s/index.ts';
import { choiceOrder, createGrouping, type Candidate } from '../../src/l2/index.ts';
import { createNodeDecider } from '../../src/pipeline/index.ts';
import { versus, type Versus } from '../support/versus.ts';
import {
  addressOf,
  heartbeatOf,
  NAMESPACE,
  nodeName,
  parsed,
  serviceOf,
  sliceOf,
  snapshotOfSize,
  type ClusterSize,
} from './objects.ts';

/** What our own code costs, apart from all I/O. Each stands beside the least that anybody would do for the same. */
export interface PureRow {
  /** Names the row in the baseline. */
  readonly name: string;
  readonly what: string;
  readonly least: string;
  readonly versus: Versus;
  /** Milliseconds. */
  readonly bar?: number;
}

export interface PureSize {
  /** Services to allocate for, */
  readonly allocated: number;
  /** and to announce. */
  readonly announced: number;
  /** Nodes that may have an address on layer 2, and addresses. */
  readonly nodes: number;
  readonly elected: number;
  readonly rounds: number;
}

export const FULL: PureSize = { allocated: 50_000, announced: 10_000, nodes: 5_000, elected: 100, rounds: 9 };

/** For `npm run bench:check`. */
export const SHORT: PureSize = { allocated: 10_000, announced: 5_000, nodes: 500, elected: 100, rounds: 21 };

/** What is timed together: one alone is too short to be measured. */
const CHANGES = 100;
const MORE = 1_000;
const TEXTS = 10;
const PEERS = 4;
const ENDPOINTS = 3;
const NODES = 3;
const FRR_OPTIONS = { hostname: 'n1', logLevel: 'informational' } as const;
const TEMPLATE = new URL('../../templates/frr.conf.hbs', import.meta.url);

type Measure = (size: PureSize) => readonly PureRow[];
const MEASURES: readonly Measure[] = [allocation, decisions, rendering, election, heartbeats];

/** @param onProgress told what is being measured */
export function measurePure(size: PureSize, onProgress: (text: string) => void): readonly PureRow[] {
  return MEASURES.flatMap((measure) => {
    onProgress(`pure code: ${measure.name}`);
    return measure(size);
  });
}

function allocation({ allocated, rounds }: PureSize): readonly PureRow[] {
  const { objects } = snapshotOfSize({
    ...{ services: allocated, endpoints: 0, nodes: 1, peers: 1, isWaiting: true },
  });
  const { config } = buildConfig({ namespace: NAMESPACE, objects, rejected: [] });
  const more = parsed(
    Array.from({ length: MORE }, (_, index) => serviceOf(allocated + index, { isWaiting: true })),
  ).filter(isService);
  const v6 = 0x2001_0db8_0001_0000_0000_0000_0000_0000n;
  const noted = (count: number) => (): unknown => {
    const byService = new Map<string, readonly string[]>();
    for (let index = 0; index < count; index += 1) {
      const ips = [ipFromValue('ipv4', BigInt(0x0a00_0000 + index)), ipFromValue('ipv6', v6 + BigInt(index))];
      byService.set(
        `default/${String(index)}`,
        ips.map(({ text }) => text),
      );
    }
    return byService;
  };
  const least = 'their addresses written as text, in a map';
  return [
    {
      ...{ name: 'allocate', least, bar: 1_000 },
      what: `${allocated} dual-stack Services get addresses of a /8 and a /48`,
      versus: versus({
        ours: () => {
          const state = createAllocatorState();
          return () => {
            allocateAll(state, config.pools, objects.Service);
            holds(state.ledger.allocations.size, allocated);
          };
        },
        baseline: () => noted(allocated),
        rounds,
      }),
    },
    {
      ...{ name: 'allocate-one', least, bar: (MORE * 20) / 1_000 },
      what: `${MORE} more, one by one`,
      versus: versus({
        ours: () => {
          const state = createAllocatorState();
          allocateAll(state, config.pools, objects.Service);
          return () => {
            for (const service of more) applyChanges(state, { services: [service], deleted: [] });
            holds(state.ledger.allocations.size, allocated + MORE);
          };
        },
        baseline: () => noted(MORE),
        rounds,
      }),
    },
  ];
}

function decisions({ announced, rounds }: PureSize): readonly PureRow[] {
  const size: ClusterSize = { services: announced, endpoints: ENDPOINTS, nodes: NODES, peers: PEERS };
  const snapshot = snapshotOfSize(size);
  const speakers = Array.from({ length: NODES }, (_, index) => nodeName(index));
  const text = JSON.stringify([snapshot.objects.Service, snapshot.objects.EndpointSlice].map(plain));
  const kept = createDecider();
  kept(snapshot, speakers);
  let now = snapshot;
  let version = 0;
  return [
    {
      name: 'decide',
      what: `all about ${announced} Services with ${ENDPOINTS} endpoints each, BGP and layer 2`,
      least: 'the same objects parsed from JSON',
      versus: versus({
        ours: () => () => createDecider()(snapshot, speakers),
        baseline: () => () => JSON.parse(text) as unknown,
        rounds,
      }),
    },
    {
      name: 'decide-endpoints',
      what: `${CHANGES} EndpointSlices change, one by one`,
      least: `lists of ${announced} copied as often`,
      versus: versus({
        ours: () => {
          version += 1;
          const changes = snapshotsAfter(now, { size, version });
          now = changes.at(-1) ?? now;
          return () => {
            for (const each of changes) kept(each, speakers);
          };
        },
        baseline: () => () => {
          let sum = 0;
          for (let change = 0; change < CHANGES; change += 1) sum += [...snapshot.objects.Service].length;
          return sum;
        },
        rounds,
      }),
    },
    {
      name: 'group',
      what: `${announced} Services tied to groups, one of them another one`,
      least: 'their keys in a map',
      versus: versus({
        ours: () => {
          const grouping = createGrouping();
          const { services } = createDecider()(snapshot, speakers).layer2;
          grouping(services);
          const changed = services.map((service, index) => (index === 7 ? { ...service } : service));
          return () => grouping(changed);
        },
        baseline: () => () => new Map(snapshot.objects.Service.map((each) => [each.metadata.name, each])),
        rounds,
      }),
    },
  ];
}

function rendering({ announced, rounds }: PureSize): readonly PureRow[] {
  const snapshot = snapshotOfSize({ services: announced, endpoints: ENDPOINTS, nodes: NODES, peers: PEERS });
  const render = compileFrrConf(readFileSync(TEMPLATE, 'utf8'));
  const { bgp } = createDecider()(snapshot).state;
  const [, ...others] = snapshot.objects.Service;
  const without = createDecider()({ ...snapshot, objects: { ...snapshot.objects, Service: others } }).state
    .bgp;
  const lines = bgp.routers.flatMap(({ originated }) => originated.map(({ prefix }) => prefix.text));
  holds(lines.length, announced);
  const written = (): string => lines.map((line) => `  network ${line} route-map advertise\n`).join('');
  const least = 'the lines of its prefixes joined';
  const texts = [bgp, without].map((state) => render(state, FRR_OPTIONS));
  return [
    {
      ...{ name: 'render', least, bar: TEXTS * 120 },
      what: `frr.conf of ${announced} prefixes and ${PEERS} peers, ${TEXTS} times`,
      versus: versus({
        ours: () => () => Array.from({ length: TEXTS }, () => render(bgp, FRR_OPTIONS)),
        baseline: () => () => Array.from({ length: TEXTS }, written),
        rounds,
      }),
    },
    {
      ...{ name: 'difference', least },
      what: `one Service leaves and comes, ${TEXTS} texts: to statements, and what to type`,
      versus: versus({
        ours: () => {
          const parse = createFrrConfigParser();
          let before = parse(texts[0] ?? '');
          return () => {
            for (let turn = 1; turn <= TEXTS; turn += 1) {
              const after = parse(texts[turn % 2] ?? '');
              diffFrrConfig(before, after);
              before = after;
            }
          };
        },
        baseline: () => () => Array.from({ length: TEXTS }, written),
        rounds,
      }),
    },
  ];
}

function election({ nodes, elected, rounds }: PureSize): readonly PureRow[] {
  const names = Array.from({ length: nodes }, (_, index) => nodeName(index));
  const candidates = names.map((node): Candidate => ({ node, score: 0 }));
  const ips = Array.from({ length: elected }, (_, index) => addressOf(index));
  return [
    {
      name: 'elect',
      what: `first choice among ${nodes} nodes for ${elected} addresses`,
      least: 'as many SHA-256, sorted',
      versus: versus({
        ours: () => () => ips.map((ip) => choiceOrder(candidates, ip)),
        baseline: () => () =>
          ips.map((ip) => names.map((name) => hash('sha256', `${name}#${ip}`)).sort(compareText)),
        rounds: Math.ceil(rounds / 3),
      }),
    },
  ];
}

/** A bench that measures something else than it says is worse than none. */
function holds(count: number, wanted: number): void {
  if (count !== wanted) throw new Error(`the bench did ${count} of ${wanted}`);
}

/** What a Node says every few minutes, and a kubelet with every change of its images. */
function heartbeats({ nodes, rounds }: PureSize): readonly PureRow[] {
  const store = new ClusterStore({ namespace: NAMESPACE });
  let beat = 0;
  const events = (): readonly string[] => {
    beat += 1;
    return Array.from({ length: nodes }, (_, index) => JSON.stringify(heartbeatOf(index, beat)));
  };
  const heard = (texts: readonly string[]): number =>
    texts.filter((text) => store.put(RESOURCES.Node, JSON.parse(text) as RawObject)).length;
  holds(heard(events()), nodes);
  return [
    {
      name: 'heartbeat',
      what: `heartbeats of ${nodes} Nodes with 50 images each: none is a change`,
      least: 'the same events parsed from JSON',
      versus: versus({
        ours: () => {
          const texts = events();
          return () => {
            holds(heard(texts), 0);
          };
        },
        baseline: () => {
          const texts = events();
          return () => texts.map((text) => JSON.parse(text) as unknown);
        },
        rounds,
      }),
    },
  ];
}

/** Of the first node. */
export function createDecider(): ReturnType<typeof createNodeDecider> {
  return createNodeDecider({ nodeName: nodeName(0), loadBalancerClass: '', ignoreExcludeLabel: false });
}

/** One after the other, each with one EndpointSlice that differs from the one before. */
function snapshotsAfter(
  snapshot: ClusterSnapshot,
  { size, version }: { readonly size: ClusterSize; readonly version: number },
): readonly ClusterSnapshot[] {
  const snapshots: ClusterSnapshot[] = [];
  let slices = snapshot.objects.EndpointSlice;
  for (let change = 0; change < CHANGES; change += 1) {
    const at = (change * 37) % size.services;
    const [slice] = parsed([sliceOf(at, size, version)]).filter(isSlice);
    if (slice) slices = slices.with(at, slice);
    snapshots.push({ ...snapshot, objects: { ...snapshot.objects, EndpointSlice: slices } });
  }
  return snapshots;
}

function isService(object: ApiObject): object is ServiceObject {
  return object.kind === 'Service';
}

function isSlice(object: ApiObject): object is EndpointSliceObject {
  return object.kind === 'EndpointSlice';
}

/** JSON has no bigints. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)),
  );
}
