import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { isTrimDue, mayStandStill, type MemoryUse } from './trim-memory.ts';

const MIB = 2 ** 20;
const START: MemoryUse = { atMs: 0, cpuMs: 0, rssBytes: 0, heapBytes: 0 };

function use(atMs: number, cpuMs: number, mebibytes: number, heap = 40): MemoryUse {
  return { atMs, cpuMs, rssBytes: mebibytes * MIB, heapBytes: heap * MIB };
}

describe('memory is given back', () => {
  test.for<readonly [what: string, trimmed: MemoryUse, before: MemoryUse, now: MemoryUse, expected: boolean]>(
    [
      ['when it is quiet for the first time', START, use(5_000, 900, 110), use(10_000, 910, 110), true],
      ['not while it works', START, use(0, 0, 60), use(5_000, 900, 90), false],
      ['not again when nothing has come', use(0, 0, 90), use(5_000, 10, 95), use(10_000, 20, 105), false],
      ['again when something has', use(0, 0, 90), use(5_000, 10, 95), use(10_000, 20, 106), true],
      [
        'after a minute of work without a pause',
        use(0, 0, 90),
        use(55_000, 9_000, 150),
        use(60_000, 9_900, 190),
        true,
      ],
      ['not sooner', use(0, 0, 90), use(50_000, 9_000, 150), use(55_000, 9_900, 290), false],
      ['not for little', use(0, 0, 90), use(55_000, 9_000, 150), use(60_000, 9_900, 180), false],
    ],
  )('%s: %j', ([, trimmed, before, now, expected]) => {
    expect(isTrimDue(trimmed, before, now)).toBe(expected);
  });
});

test.each([
  [40, false, true],
  [40, true, true],
  [60, false, true],
  [60, true, false],
])(
  'may it stand still with a heap of %i MiB, answering for addresses: %j? %j',
  (heap, isAnswering, expected) => {
    expect(mayStandStill(use(0, 0, 110, heap), () => isAnswering)).toBe(expected);
  },
);

/** Makes garbage, waits, and prints what it took of the system before and after the memory was given back, in MiB. */
const PROGRAM = `
import { trimMemory } from './src/cli/trim-memory.ts';
trimMemory(new AbortController().signal);
let kept = [];
for (let round = 0; round < 20; round += 1) {
  kept = Array.from({ length: 400_000 }, (_, index) => ({ index, text: 'x' + index, list: [index] }));
  await new Promise((resolve) => setTimeout(resolve, 5));
}
kept.length = 0;
const before = process.memoryUsage.rss();
const deadline = Date.now() + 30_000;
while (Date.now() < deadline && process.memoryUsage.rss() > before / 2) {
  await new Promise((resolve) => setTimeout(resolve, 200));
}
process.stdout.write(JSON.stringify([before, process.memoryUsage.rss()]));
`;

test('a Node with --expose-gc gives back what V8 keeps for later', { timeout: 60_000 }, async () => {
  const flags = ['--expose-gc', '--max-semi-space-size=1', '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await execa(process.execPath, flags, { stdin: 'ignore', timeout: 50_000 });
  const [before = 0, after = 0] = JSON.parse(stdout) as number[];
  expect(after).toBeLessThan(before / 2);
});
