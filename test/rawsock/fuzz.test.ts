import { execa } from 'execa';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { inNetns } from '../../src/lab/index.ts';
import { describeWithNetns } from '../support/index.ts';
import { LINK, MACS, makePair, startAgent, type Agent } from './support.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FUZZ = fileURLToPath(new URL('fuzz.ts', import.meta.url));
const ADDON = join(ROOT, 'build/asan/rawsock.node');
const SECONDS = 10;

interface Counts {
  readonly calls: number;
  readonly thrown: number;
  readonly batches: number;
  readonly errors: number;
  readonly opened: number;
  readonly workers: number;
}

describeWithNetns('the addon under hostile calls', () => {
  test(`does no harm to memory in ${SECONDS} seconds of them`, { timeout: 120_000 }, async () => {
    await execa(process.execPath, ['scripts/addons.mjs', '--sanitize'], { cwd: ROOT, timeout: 60_000 });
    const library = (await execa(process.env.CC ?? 'gcc', ['-print-file-name=libasan.so'])).stdout;
    expect(library, 'libasan is missing: install the package libgcc-dev of the compiler').toMatch(/^\//);
    const pair = await makePair();
    const b = await startAgent(pair.b);
    await b.call('open', { interfaceName: LINK, filter: 'arp' });
    const seed = 1 + Math.floor(Math.random() * (2 ** 31 - 2));
    process.stdout.write(`seed of the hostile calls: ${seed}\n`);
    const [file, ...words] = [...inNetns(pair.a), process.execPath, FUZZ, ADDON];
    const run = execa(file, [...words, LINK, String(seed), String(SECONDS)], {
      cwd: ROOT,
      reject: false,
      timeout: 60_000,
      env: {
        LD_PRELOAD: library,
        // Node itself frees nothing when it ends.
        ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    });
    const rain = new AbortController();
    const rained = rainOn(b, rain.signal);
    const result = await run;
    rain.abort();
    await rained;
    expect(result.exitCode, `seed ${seed}: ${result.stderr.slice(0, 5_000)}`).toBe(0);
    const counts = JSON.parse(result.stdout) as Counts;
    process.stdout.write(`hostile calls: ${result.stdout}\n`);
    // Otherwise nothing was tried.
    expect(counts.calls).toBeGreaterThan(1_000);
    expect(counts.thrown).toBeLessThan(counts.calls);
    for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(0);
  });
});

/** Frames, all the time, until told to stop. */
async function rainOn(from: Agent, signal: AbortSignal): Promise<void> {
  for (let seed = 1; !signal.aborted; seed += 1) {
    await from.call('sendRandom', { seed, count: 20, to: MACS.a });
    await delay(2);
  }
}
