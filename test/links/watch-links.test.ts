import { execa } from 'execa';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { addVeth, inNetns, ipIn } from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, eventually, testNetns } from '../support/index.ts';
import { sharedMs, type Told } from './watcher.ts';

const WATCHER = fileURLToPath(new URL('watcher.ts', import.meta.url));
/** From the end of the command that changed something to what is told of it. */
const BAR_MS = 50;
const MACS = ['00:00:5e:00:53:01', '00:00:5e:00:53:11'] as const;
const ADDED = '198.51.100.7/24';

type Links = Told['links'];

interface Change {
  readonly name: string;
  readonly trials: number;
  /** How long everything rests before each step. */
  readonly restMs: number;
  /** What `ip` is told, and where, and what is then told of the interfaces. */
  readonly make: Step;
  readonly undo: Step;
}

interface Step {
  readonly in: 'node' | 'peer';
  readonly args: readonly string[];
  readonly isTold: (links: Links) => boolean;
}

/** The kernel tells of carriers at most once in a second, of all interfaces together (net/core/link_watch.c). */
const CARRIER = { trials: 5, restMs: 1_200 } as const;
const OTHER = { trials: 9, restMs: 100 } as const;

const eth0 = (links: Links): Links[number] | undefined => links.find(({ name }) => name === 'eth0');

const CHANGES: readonly Change[] = [
  {
    ...{ name: 'the carrier is lost, and is back', ...CARRIER },
    make: {
      in: 'peer',
      args: ['link', 'set', 'eth0', 'down'],
      isTold: (links) => eth0(links)?.isUp === false,
    },
    undo: { in: 'peer', args: ['link', 'set', 'eth0', 'up'], isTold: (links) => eth0(links)?.isUp === true },
  },
  {
    ...{ name: 'an interface is added, and removed', ...OTHER },
    make: {
      in: 'node',
      args: ['link', 'add', 'eth9', 'type', 'veth', 'peer', 'name', 'eth8'],
      isTold: (links) => links.some(({ name }) => name === 'eth9'),
    },
    undo: {
      in: 'node',
      args: ['link', 'del', 'eth9'],
      isTold: (links) => !links.some(({ name }) => name === 'eth9'),
    },
  },
  {
    ...{ name: 'an address is added, and removed', ...OTHER },
    make: {
      in: 'node',
      args: ['address', 'add', ADDED, 'dev', 'eth0'],
      isTold: (links) => eth0(links)?.addresses.includes(ADDED) === true,
    },
    undo: {
      in: 'node',
      args: ['address', 'del', ADDED, 'dev', 'eth0'],
      isTold: (links) => eth0(links)?.addresses.includes(ADDED) === false,
    },
  },
  {
    ...{ name: 'the hardware address changes, and changes back', ...OTHER },
    make: {
      in: 'node',
      args: ['link', 'set', 'eth0', 'address', MACS[1]],
      isTold: (links) => eth0(links)?.mac === MACS[1],
    },
    undo: {
      in: 'node',
      args: ['link', 'set', 'eth0', 'address', MACS[0]],
      isTold: (links) => eth0(links)?.mac === MACS[0],
    },
  },
];

describeWithNetns('what the kernel says of the interfaces', () => {
  const told: Told[] = [];
  let netns: Readonly<Record<Step['in'], string>>;

  beforeAll(async () => {
    netns = { node: await testNetns(), peer: await testNetns() };
    await addVeth({
      a: { netns: netns.node, interface: 'eth0', mac: MACS[0], addresses: ['192.0.2.1/24'] },
      b: { netns: netns.peer, interface: 'eth0', addresses: ['192.0.2.2/24'] },
    });
    const [file, ...words] = [...inNetns(netns.node), process.execPath, WATCHER];
    const child = execa(file, words, { stdin: 'pipe', stderr: 'inherit' });
    createInterface({ input: child.stdout }).on('line', (line) => {
      told.push(JSON.parse(line) as Told);
    });
    atEnd(async () => {
      child.stdin.end();
      await child;
    });
    // The second reading, a quarter of a second after the first, says that it listens: it differs in nothing.
    await isToldWithin((links) => eth0(links)?.isUp === true, 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
  });

  async function isToldWithin(isTold: Step['isTold'], from: number): Promise<Told> {
    return eventually(
      () => {
        const found = told.slice(from).find(({ links }) => isTold(links));
        expect(found, `told since: ${JSON.stringify(told.slice(from))}`).toBeDefined();
        return found!;
      },
      { timeoutMs: 5_000, intervalMs: 5 },
    );
  }

  /** @returns from the end of the command to the word of it, milliseconds; not below zero */
  async function take(step: Step, restMs: number): Promise<number> {
    // What follows by itself, such as an address that is no longer tentative, is over by then.
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const from = told.length;
    await ipIn(netns[step.in], step.args);
    const endMs = sharedMs();
    const { atMs } = await isToldWithin(step.isTold, from);
    return Math.max(0, atMs - endMs);
  }

  test.each(CHANGES)(`$name: told within ${BAR_MS} ms`, async ({ name, trials, restMs, make, undo }) => {
    const taken: number[] = [];
    for (let trial = 0; trial < trials; trial += 1) {
      for (const step of [make, undo]) taken.push(await take(step, restMs));
    }
    taken.sort((a, b) => a - b);
    const median = taken[Math.floor(taken.length / 2)] ?? Infinity;
    const [least = 0, most = 0] = [taken[0], taken.at(-1)];
    process.stdout.write(
      `${name}: told after ${least.toFixed(0)}, ${median.toFixed(0)}, ${most.toFixed(0)} ms (least, median, most of ${taken.length})\n`,
    );
    expect(median).toBeLessThanOrEqual(BAR_MS);
  });
});
