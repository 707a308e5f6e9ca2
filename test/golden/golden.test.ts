import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { diffFrrConfig, parseFrrConfig } from '../../src/frr-config/index.ts';
import { FrrApplier } from '../../src/frr-vty/index.ts';
import type { Frr } from '../../src/lab/index.ts';
import { atEnd, describeWithFrr, startTestFrr } from '../support/index.ts';
import {
  documentsOf,
  expectedFrrConf,
  expectedProblems,
  goldenCases,
  renderCase,
  writeExpected,
  type GoldenCase,
} from './cases.ts';
import { seedFrom, shuffled } from './shuffle.ts';

const cases = goldenCases();
const seed = seedFrom(process.env.GOLDEN_SEED);

describe('rendering a golden case', () => {
  test.each(cases)('$name', (golden) => {
    const rendered = renderCase(golden);
    if (process.env.UPDATE_GOLDEN === '1') writeExpected(golden, rendered);
    for (const node of golden.nodes) {
      expect(rendered.frrConf.get(node), node).toBe(expectedFrrConf(golden, node));
    }
    expect(rendered.problems).toBe(expectedProblems(golden));
  });

  test.each(cases)('$name, its objects in any order', (golden) => {
    const documents = documentsOf(golden);
    const { frrConf } = renderCase(golden, documents);
    for (let round = 0; round < 5; round += 1) {
      expect(renderCase(golden, shuffled(documents, seed + round)).frrConf).toEqual(frrConf);
    }
  });
});

/** Extras that FRR prints in other words than they were typed in: only the applier can tell that they are the same. */
const PRINTED_OTHERWISE = new Set(['extras-other-form', 'extras-peer-group']);

interface Step {
  readonly title: string;
  readonly golden: GoldenCase;
  readonly node: string;
}

const steps: readonly Step[] = cases.flatMap((golden) =>
  golden.nodes.map((node) => ({
    title: node === 'n1' ? golden.name : `${golden.name} on ${node}`,
    golden,
    node,
  })),
);
const order = shuffled(steps, seed).map((step, index, all) => ({
  ...step,
  after: all[index - 1]?.title ?? 'an empty configuration',
}));

describeWithFrr(`golden cases in the order of GOLDEN_SEED=${seed}`, (install) => {
  let frr: Frr;
  let applier: FrrApplier;

  beforeAll(async () => {
    frr = await startTestFrr({ install });
    applier = newApplier(frr);
    atEnd(() => applier.close());
  });

  test.each(order)('$title after $after', async ({ golden, node }) => {
    const text = expectedFrrConf(golden, node);
    const { extras } = renderCase(golden);
    expect(await applier.apply({ text, extras })).toMatchObject({
      kind: expect.stringMatching(/^(?:applied|unchanged)$/) as string,
    });
    // Before the applier looks again and puts right what it got wrong.
    if (!PRINTED_OTHERWISE.has(golden.name)) expect(await differenceTo(frr, text)).toEqual([]);
    expect(await applier.verify()).toEqual({ kind: 'unchanged' });
    expect(readFileSync(frr.configFile, 'utf8')).toBe(text);
  });

  test.each([
    { where: 'in a router', before: 'exit\n!\n', junk: ' neighbor 192.0.2.1 no-such-option' },
    { where: 'at the top', before: 'service integrated-vtysh-config\n', junk: 'no-such-command 1' },
  ])('a line that FRR does not know, $where, brings back the case before', async ({ before, junk }) => {
    const good = caseNamed('two-sessions');
    const goodText = expectedFrrConf(good, 'n1');
    const broken = expectedFrrConf(caseNamed('single-advertisement'), 'n1');
    const at = broken.lastIndexOf(before);
    expect(at).toBeGreaterThan(0);
    await applier.apply({ text: goodText, extras: '' });
    await applier.verify();
    expect(await differenceTo(frr, goodText)).toEqual([]);

    const outcome = await applier.apply({
      text: `${broken.slice(0, at)}${junk}\n${broken.slice(at)}`,
      extras: '',
    });

    expect(outcome).toMatchObject({ kind: 'refused', restored: true, refused: [{ line: junk.trim() }] });
    expect(await applier.verify()).toEqual({ kind: 'unchanged' });
    expect(await differenceTo(frr, goodText)).toEqual([]);
    expect(readFileSync(frr.configFile, 'utf8')).toBe(goodText);
  });
});

function newApplier(frr: Frr): FrrApplier {
  const [program, ...args] = frr.vtysh;
  if (program === undefined) throw new Error('an FRR without a vtysh command');
  return new FrrApplier({ vtysh: [program, ...args], configFile: frr.configFile });
}

/** What would have to be typed for FRR to hold `text`, as FRR itself tells what it holds. */
async function differenceTo(frr: Frr, text: string): Promise<readonly string[]> {
  const running = parseFrrConfig(await frr.show('show running-config'));
  return diffFrrConfig(running, parseFrrConfig(text)).commands.map(({ path, line }) =>
    [...path, line].join(' > '),
  );
}

function caseNamed(name: string): GoldenCase {
  const found = cases.find((golden) => golden.name === name);
  if (!found) throw new Error(`there is no case ${name}`);
  return found;
}
