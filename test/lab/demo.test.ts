import { execa } from 'execa';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { labDown, labNames, readState } from '../../src/lab/index.ts';
import { atEnd, describeWithNetns, eventually } from '../support/index.ts';
import { testName, traces } from './support.ts';

const DEMO = fileURLToPath(new URL('../../src/cli/demo.ts', import.meta.url));

/** Starts the demo; should it leave its lab, that goes with the test file. */
function startDemo(name: string, ...args: string[]) {
  atEnd(async () => {
    if ((await labNames()).includes(name)) await labDown(name);
  });
  return execa(process.execPath, [DEMO, '--name', name, ...args], { reject: false });
}

describeWithNetns('npm run demo', () => {
  test('shows routes, traffic, a new Service and a cut link, and leaves nothing', async () => {
    const name = testName('demo');
    const { stdout, stderr, exitCode } = await startDemo(name);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const steps = [
      /^1\. Starting test\/containerlab\/a-listen-range\.clab\.yml$/m,
      /B>\* 198\.51\.100\.1\/32 .*via 192\.0\.2\.11, br0.*\n +\* +via 192\.0\.2\.12, br0/,
      /advertised-routes'\n[^]*\*> 198\.51\.100\.1\/32[^]*Total number of prefixes 1/,
      /^ +(?:n[12] ){10} +\(n1 \d+, n2 \d+\)$/m,
      /198\.51\.100\.2\/32 stood in the router's kernel, with both next hops, \d+ ms after the file changed/,
      /192\.0\.2\.11 was gone from the router's kernel \d+ ms after the cut/,
      /^ +(?:n2 ){10} +\(n2 10\)$/m,
      /Removing the lab\n.*No namespace, process or file of it is left/,
    ];
    let rest = stdout;
    for (const step of steps) {
      expect(rest).toMatch(step);
      rest = rest.slice(rest.search(step));
    }
    expect(await traces(name)).toEqual([]);
  });

  test('--keep leaves the lab and says how to go on', async () => {
    const name = testName('keep');
    const { stdout, exitCode } = await startDemo(name, '--keep');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`bin/metallb-frr lab down ${name}`);
    expect((await readState(name))?.phase).toBe('running');
  });

  test('Ctrl-C leaves nothing', async () => {
    const name = testName('stop');
    const demo = startDemo(name);
    await eventually(
      async () => {
        expect((await readState(name))?.phase).toBe('running');
      },
      { timeoutMs: 30_000 },
    );
    demo.kill('SIGINT');
    expect((await demo).exitCode).toBe(130);
    expect(await traces(name)).toEqual([]);
  });
});
