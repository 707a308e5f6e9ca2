import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { parsePrefix } from '../../src/core/ip.ts';
import { diffFrrConfig, parseFrrConfig } from '../../src/frr-config/index.ts';
import { compileFrrConf } from '../../src/frr-render/index.ts';
import { FrrApplier, type VtyshCommand } from '../../src/frr-vty/index.ts';
import type { Frr } from '../../src/lab/index.ts';
import type { BgpDesiredState } from '../../src/reconciler/index.ts';
import { peer } from '../../src/reconciler/test-objects.ts';
import { createFrrDriver, type FrrReport } from '../../src/speaker/frr-driver.ts';
import { describeWithFrr, eventually, startTestFrr, tempDir } from '../support/index.ts';

/** The driver and the applier against FRR in trouble: what it refuses, when it dies, when vtysh hangs. */

const TEMPLATE = fileURLToPath(new URL('../../templates/frr.conf.hbs', import.meta.url));
const RENDER = compileFrrConf(await readFile(TEMPLATE, 'utf8'));
const RENDER_OPTIONS = { hostname: 'n1', logLevel: 'informational' } as const;
const PASSWORD = 'correct-horse-battery';

let end = new AbortController();
afterEach(() => {
  end.abort();
  end = new AbortController();
});

describeWithFrr('the FRR driver', (install) => {
  test('leaves out extras that FRR refuses, says why, and applies the rest', async () => {
    const frr = await startTestFrr({ install });
    const rig = drive(frr);
    rig.driver.want(state({ prefixes: 1, extras: 'ip prefix-list good seq 5 permit 192.0.2.0/24' }), input());
    await inForce(frr, state({ prefixes: 1, extras: 'ip prefix-list good seq 5 permit 192.0.2.0/24' }));

    rig.driver.want(state({ prefixes: 2, extras: 'no such command' }), input());
    await inForce(frr, state({ prefixes: 2, extras: 'ip prefix-list good seq 5 permit 192.0.2.0/24' }));
    const [problem] = await eventually(() => {
      expect(rig.report().problems).toHaveLength(1);
      return rig.report().problems;
    });
    expect(problem).toMatchObject({
      reason: 'FrrRefused',
      resource: { kind: 'ConfigMap', name: 'bgpextras' },
      field: 'data.extras',
    });
    expect(problem?.message).toMatch(/no such command.*[Uu]nknown command/);

    rig.driver.want(state({ prefixes: 3, extras: '' }), input());
    await inForce(frr, state({ prefixes: 3, extras: '' }));
    await eventually(() => {
      expect(rig.report().problems).toEqual([]);
    });
  });

  test('keeps a password out of logs, problems and everything but the file, which is for its owner alone', async () => {
    const frr = await startTestFrr({ install });
    const rig = drive(frr);
    const junk = `router bgp 64496\n neighbor 192.0.2.1 password ${PASSWORD} and more\nexit`;
    rig.driver.want(state({ prefixes: 1, extras: junk, password: PASSWORD }), input());
    await inForce(frr, state({ prefixes: 1, extras: '', password: PASSWORD }));
    await eventually(() => {
      expect(rig.report().problems.length).toBeGreaterThan(0);
    });
    expect(rig.log()).not.toBe('');
    expect(rig.log()).not.toContain(PASSWORD);
    expect(JSON.stringify(rig.report())).not.toContain(PASSWORD);
    expect(await readFile(frr.configFile, 'utf8')).toContain(PASSWORD);
    expect((await stat(frr.configFile)).mode & 0o777).toBe(0o600);
  });

  test('finds bgpd killed in the middle of a large change, and ends with what was wanted', async () => {
    const frr = await startTestFrr({ install });
    const rig = drive(frr);
    rig.driver.want(state({ prefixes: 10 }), input());
    await inForce(frr, state({ prefixes: 10 }));

    rig.driver.want(state({ prefixes: 8_000 }), input());
    await eventually(async () => {
      expect((await frr.show('show running-config')).match(/^ {2}network /gm)?.length).toBeGreaterThan(10);
    });
    await frr.killDaemon('bgpd');
    await eventually(() => {
      expect(rig.report().applied).toBe(false);
    });
    await frr.startDaemon('bgpd');
    rig.driver.frrRestarted();
    await inForce(frr, state({ prefixes: 8_000 }));
    await eventually(() => {
      expect(rig.report()).toEqual({ applied: true, problems: [] });
    });
  });

  test('gives up on a vtysh that hangs, and goes on when it answers again', async () => {
    const frr = await startTestFrr({ install });
    const folder = await tempDir();
    const hang = join(folder, 'hang');
    const wrapper = join(folder, 'vtysh');
    await writeFile(
      wrapper,
      `#!/bin/sh\n[ ! -e ${hang} ] || sleep 600\nexec ${frr.vtysh.map(quoted).join(' ')} "$@"\n`,
    );
    await chmod(wrapper, 0o755);
    await writeFile(hang, '');
    const rig = drive(frr, { vtysh: [wrapper], answerTimeoutMs: 300, fileTimeoutMs: 2_000 });
    rig.driver.want(state({ prefixes: 5 }), input());
    const problem = await eventually(() => {
      const [first] = rig.report().problems;
      expect(first?.transient).toBe(true);
      return first;
    });
    expect(problem?.message).toMatch(/FRR cannot be reached: .*300 ms/);

    await rig.remove(hang);
    await inForce(frr, state({ prefixes: 5 }));
    await eventually(() => {
      expect(rig.report()).toEqual({ applied: true, problems: [] });
    });
  });

  test('adopts what an earlier run left in force: nothing is typed', async () => {
    const frr = await startTestFrr({ install });
    const first = drive(frr);
    first.driver.want(state({ prefixes: 40, password: PASSWORD }), input());
    await inForce(frr, state({ prefixes: 40, password: PASSWORD }));
    await first.driver.idle();

    const applier = applierOf(frr);
    const bgp = state({ prefixes: 40, password: PASSWORD });
    const outcome = await applier.apply({ text: RENDER(bgp, RENDER_OPTIONS), extras: '' });
    expect(outcome).toEqual({ kind: 'unchanged' });
    await applier.close();
  });
});

interface Rig {
  readonly driver: ReturnType<typeof createFrrDriver>;
  readonly report: () => FrrReport;
  readonly log: () => string;
  readonly remove: (path: string) => Promise<void>;
}

function drive(
  frr: Frr,
  vty: {
    readonly vtysh?: VtyshCommand;
    readonly answerTimeoutMs?: number;
    readonly fileTimeoutMs?: number;
  } = {},
): Rig {
  let report: FrrReport = { applied: false, problems: [] };
  let log = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log += chunk.toString();
      done();
    },
  });
  const driver = createFrrDriver({
    applier: applierOf(frr, vty),
    render: RENDER,
    renderOptions: RENDER_OPTIONS,
    namespace: 'metallb-system',
    logger: pino({ level: 'trace' }, sink),
    signal: end.signal,
    onReport: (next) => {
      report = next;
    },
  });
  return { driver, report: () => report, log: () => log, remove: rm };
}

function applierOf(
  frr: Frr,
  vty: {
    readonly vtysh?: VtyshCommand;
    readonly answerTimeoutMs?: number;
    readonly fileTimeoutMs?: number;
  } = {},
): FrrApplier {
  const [file = '', ...args] = frr.vtysh;
  return new FrrApplier({ vtysh: [file, ...args], configFile: frr.configFile, ...vty });
}

/** Waits until FRR, asked directly, holds exactly what the state renders to. */
async function inForce(frr: Frr, bgp: BgpDesiredState): Promise<void> {
  const wanted = parseFrrConfig(RENDER(bgp, RENDER_OPTIONS));
  await eventually(
    async () => {
      const running = parseFrrConfig(await frr.show('show running-config'));
      expect(diffFrrConfig(running, wanted).commands).toEqual([]);
    },
    { timeoutMs: 30_000, intervalMs: 100 },
  );
}

function state(options: {
  readonly prefixes: number;
  readonly extras?: string;
  readonly password?: string;
}): BgpDesiredState {
  const { prefixes, extras = '', password } = options;
  const tor = peer('tor', '192.0.2.1', password === undefined ? {} : { password: new Secret(password) });
  const treatment = { key: 'all', peers: [{ peer: 'tor', communities: [] }] };
  const originated = Array.from({ length: prefixes }, (_, index) => {
    const prefix = parsePrefix(`198.18.${index >> 8}.${index & 255}/32`);
    if (!prefix) throw new Error(`no prefix for ${index}`);
    return { prefix, treatment };
  });
  return { routers: [{ asn: 64496, vrf: '', neighbors: [tor], originated }], bfdProfiles: [], extras };
}

function input(): { readonly inputAt: number } {
  return { inputAt: Date.now() };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
