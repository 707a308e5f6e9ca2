import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultRun, learnedPorts, OBSERVER, violationText } from '../lan/index.ts';
import { describeWithNetns } from '../support/index.ts';
import { startLan, type TestLan } from './lan.ts';

const IPS = ['192.0.2.200', '192.0.2.201', '2001:db8::c9'];
const FAULTS = 20;

describeWithNetns('h-one-lan: random faults', () => {
  let lan: TestLan;

  beforeAll(async () => {
    lan = await startLan('h-one-lan');
    lan.ask(...IPS);
    // BFD between the speakers comes up some seconds after the addresses found their owners.
    for (const ip of IPS) await lan.expectToStay(ip, await lan.expectOwner(ip), 5_000);
  });

  afterAll(() => lan.stop());

  test(`${FAULTS} of them: never two owners, never none, for long`, { timeout: 180_000 }, async () => {
    const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
    process.stdout.write(`FAULT_SEED=${seed}\n`);
    const result = await faultRun(
      {
        ...{ state: lan.state, recorder: lan.recorder, asker: lan.asker, switchNode: 'switch', ips: IPS },
        gateways: Object.values(OBSERVER),
        nodes: new Map([
          ['n1', 'eth1'],
          ['n2', 'eth2'],
          ['n3', 'eth3'],
        ]),
      },
      { seed, faults: FAULTS, onStep: (text) => process.stdout.write(`${text}\n`) },
    );
    const { longestOverlapMs, longestGapMs, violations } = result;
    process.stdout.write(`two owners for at most ${longestOverlapMs} ms, none for ${longestGapMs} ms\n`);
    const told = violations.map((violation) => `${violation.after}: ${violationText(violation)}`);
    // On the one line that a summary has, with what it takes to run the same again.
    if (told.length > 0) throw new Error(`FAULT_SEED=${seed}: ${told.join('; ')}`);
    for (const ip of IPS) await lan.expectOwner(ip);
    const ports = await learnedPorts(lan.state, 'switch');
    expect(['n1', 'n2', 'n3'].map((node) => ports.get(lan.macOf(node)))).toEqual(['eth1', 'eth2', 'eth3']);
  });
});
