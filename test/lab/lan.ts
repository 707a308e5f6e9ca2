import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { requireNode, type FrrInstall } from '../../src/lab/index.ts';
import {
  answerSpans,
  macOf,
  nowMs,
  recordLan,
  since,
  startAsker,
  type Asker,
  type LanRecorder,
} from '../lan/index.ts';
import { atEnd, eventually } from '../support/index.ts';
import { startLab, type TestLab } from './support.ts';

/** Generous: a bound, not an expectation. */
export const WITHIN = { timeoutMs: 30_000, intervalMs: 50 };
export const ASK_EVERY_MS = 20;
export const JOIN_MS = 150;
/** Nobody may answer for so long before an address counts as nobody's. */
const SILENT_MS = 1_500;
const RECENT_MS = 600;

/** A lab with a recorder on its switch and a host that asks who has which address. */
export interface TestLan extends TestLab {
  readonly recorder: LanRecorder;
  readonly asker: Asker;
  readonly ask: (...ips: readonly string[]) => void;
  /** The hosts that answered for an address lately: MAC addresses of nodes by the nodes' names, others as they are. */
  readonly owners: (ip: string) => readonly string[];
  /** Waits until one host and no other answers; gives its name. With `nodes`, one of them. */
  readonly expectOwner: (ip: string, nodes?: readonly string[]) => Promise<string>;
  /** Waits until nobody answers. */
  readonly expectNobody: (ip: string) => Promise<void>;
  /** As {@link expectOwner}, and then no other for 3,000 ms, or as long as given. */
  readonly expectToStay: (ip: string, node: string, forMs?: number) => Promise<void>;
  readonly macOf: (node: string) => string;
  /** The lines of a node's log that are JSON. */
  readonly logOf: (node: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface LanPlace {
  readonly switchNode: string;
  readonly askerNode: string;
  readonly askerInterface: string;
  /** The nodes' interface on this LAN. */
  readonly nodeInterface: string;
  readonly nodes: readonly string[];
  /** MAC address whose frames are not recorded. */
  readonly ignored?: string;
}

const ONE_LAN: LanPlace = {
  ...{ switchNode: 'switch', askerNode: 'observer', askerInterface: 'eth1', nodeInterface: 'eth1' },
  nodes: ['n1', 'n2', 'n3'],
};

/** Brings up a topology of test/containerlab with a recorder and an asker; all of it ends with the test file. */
export async function startLan(
  name: string,
  place: Partial<LanPlace> = {},
  frr?: FrrInstall,
): Promise<TestLan> {
  const lab = await startLab(name, frr);
  return lanOf(lab, place);
}

/** One more LAN of the same lab. */
export async function lanOf(lab: TestLab, given: Partial<LanPlace> = {}): Promise<TestLan> {
  const place = { ...ONE_LAN, ...given };
  const { state } = lab;
  const recorder = await recordLan(requireNode(state, place.switchNode).netns, 'br0', place.ignored);
  atEnd(() => recorder.close());
  const asker = await startAsker(requireNode(state, place.askerNode).netns, place.askerInterface);
  atEnd(() => asker.close());
  const macs = new Map<string, string>();
  for (const node of place.nodes) macs.set(node, await macOf(state, node, place.nodeInterface));
  const nodeOf = (mac: string): string => [...macs].find(([, known]) => known === mac)?.[0] ?? mac;
  const owners = (ip: string): readonly string[] => {
    const fromMs = nowMs() - RECENT_MS;
    const recent = since(recorder.sightings, fromMs);
    const spans = answerSpans(recent, { ip, asker: asker.mac, joinMs: JOIN_MS });
    return [...new Set(spans.map(({ mac }) => nodeOf(mac)))].sort();
  };
  const expectOwner = async (ip: string, nodes: readonly string[] = place.nodes): Promise<string> =>
    eventually(() => {
      const [owner = 'nobody', ...others] = owners(ip);
      expect({ others, isOneOf: nodes.includes(owner) ? nodes : owner }).toEqual({
        others: [],
        isOneOf: nodes,
      });
      return owner;
    }, WITHIN);
  return {
    ...lab,
    ...{ recorder, asker, owners, expectOwner },
    // The recorder runs in the lab's namespace: taken down with it, it could not say whether it lost anything.
    stop: async () => {
      await asker.close();
      await recorder.close();
      await lab.stop();
    },
    ask: (...ips) => {
      asker.ask({ ips, intervalMs: ASK_EVERY_MS });
    },
    expectNobody: async (ip) => {
      await eventually(() => {
        const fromMs = nowMs() - SILENT_MS;
        const about = since(recorder.sightings, fromMs).filter((each) => each.ip === ip);
        // There must have been questions: silence alone shows nothing.
        expect(
          about.filter(({ what, mac }) => what === 'question' && mac === asker.mac).length,
        ).toBeGreaterThan(10);
        expect(about.filter(({ what }) => what === 'reply').map(({ mac }) => nodeOf(mac))).toEqual([]);
      }, WITHIN);
    },
    expectToStay: async (ip, node, forMs = 3_000) => {
      await expectOwner(ip, [node]);
      const untilMs = nowMs() + forMs;
      await eventually(() => {
        expect(owners(ip)).toEqual([node]);
        expect(nowMs()).toBeGreaterThan(untilMs);
      });
    },
    macOf: (node) => macs.get(node) ?? '',
    logOf: async (node) => {
      const text = await readFile(join(lab.folder, '../../log', `${node}.log`), 'utf8');
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    },
  };
}

/** The order in which nodes are chosen for an address nobody has: SHA-256 of `node#address`, the lowest first. */
export function hashOrder(ip: string, nodes: readonly string[] = ONE_LAN.nodes): readonly string[] {
  const hashOf = (node: string): string => createHash('sha256').update(`${node}#${ip}`).digest('hex');
  return [...nodes].sort((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1));
}

/** The first choice. */
export function firstChoice(ip: string, nodes?: readonly string[]): string {
  const [first = ''] = hashOrder(ip, nodes);
  return first;
}
