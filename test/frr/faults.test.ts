import { access, chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { prefixOf } from '../../src/core/ip.ts';
import { ip } from '../../src/core/test-ip.ts';
import { FrrApplier, runVtysh, VtyshShell } from '../../src/frr-vty/index.ts';
import type { Frr } from '../../src/lab/index.ts';
import type { BgpDesiredState, Treatment } from '../../src/reconciler/index.ts';
import { peer } from '../../src/reconciler/test-objects.ts';
import { describeWithFrr, eventually, startTestFrr, tempDir } from '../support/index.ts';
import { driveFrr, missing, render, vtyshOf } from './node.ts';

const TREATMENT: Treatment = { key: 'tor', peers: [{ peer: 'tor', communities: [] }] };

function state(prefixes: number, rest: Partial<BgpDesiredState> = {}): BgpDesiredState {
  const originated = Array.from({ length: prefixes }, (_, index) => ({
    prefix: prefixOf(ip(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`), 32),
    treatment: TREATMENT,
  }));
  const router = { asn: 64496, vrf: '', neighbors: [peer('tor', '192.0.2.1')], originated };
  return { routers: [router], bfdProfiles: [], extras: '', ...rest };
}

describeWithFrr('a daemon that dies', (install) => {
  test('in the middle of ten thousand lines: applied again once it is back', async () => {
    const frr = await startTestFrr({ install });
    const driven = driveFrr(frr);
    driven.want(state(1));
    await driven.idle();

    const wanted = state(10_000);
    driven.want(wanted);
    const change = join(dirname(frr.configFile), '.metallb-frr-change.conf');
    await eventually(() => access(change), { intervalMs: 1 });
    await delay(50);
    await frr.killDaemon('bgpd');
    await eventually(() => {
      expect(driven.problems()).toEqual(['FRR cannot be reached: bgpd is not running']);
    });
    expect(driven.last()?.applied).toBe(false);
    expect(await frr.show('show running-config')).not.toContain('router bgp');

    await frr.startDaemon('bgpd');
    await eventually(
      () => {
        expect(driven.last()).toEqual({ problems: [], applied: true });
      },
      { timeoutMs: 30_000 },
    );
    await driven.idle();
    expect(await missing(frr, render(wanted))).toEqual([]);
    expect(driven.logged('FRR refuses')).toBe(0);
    await driven.stop();
  });

  test('and is empty when it is back: noticed, and filled again', async () => {
    const frr = await startTestFrr({ install });
    const driven = driveFrr(frr);
    const wanted = state(100);
    driven.want(wanted);
    await driven.idle();
    // A file that is not ours, as if bgpd had started before anything was written.
    await writeFile(frr.configFile, '');
    await frr.killDaemon('bgpd');
    await frr.startDaemon('bgpd');
    await eventually(
      async () => {
        expect(await missing(frr, render(wanted))).toEqual([]);
      },
      { timeoutMs: 30_000 },
    );
    await eventually(() => {
      expect(driven.last()).toEqual({ problems: [], applied: true });
    });
    // What FRR would load next time is ours again.
    await eventually(async () => {
      expect(await readFile(frr.configFile, 'utf8')).toBe(render(wanted));
    });
    await driven.stop();
  });

  test('between two small changes: the long-lived vtysh, deaf by then, is not believed', async () => {
    const frr = await startTestFrr({ install });
    const applier = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    await applier.apply({ text: render(state(1)), extras: '' });
    await applier.verify();
    expect(await applier.apply({ text: render(state(2)), extras: '' })).toMatchObject({
      kind: 'applied',
      via: 'shell',
    });
    await frr.killDaemon('bgpd');
    await expect(applier.apply({ text: render(state(3)), extras: '' })).rejects.toMatchObject({
      code: 'FRR_NOT_RUNNING',
    });
    // A new vtysh that starts without bgpd says nothing by itself.
    await expect(applier.apply({ text: render(state(3)), extras: '' })).rejects.toThrow(
      'bgpd is not running',
    );
    await frr.startDaemon('bgpd');
    expect(await applier.apply({ text: render(state(4)), extras: '' })).toMatchObject({ kind: 'applied' });
    expect(await missing(frr, render(state(4)))).toEqual([]);
    await applier.close();
  });
});

describeWithFrr('a vtysh that hangs', (install) => {
  let frr: Frr;

  beforeAll(async () => {
    frr = await startTestFrr({ install });
  });

  // Alone, and as a wrapper that starts something of its own: whoever is left keeps our pipes open.
  // So long as nobody else on the machine sleeps.
  const hang = `sleep 600.${process.pid}`;
  test.each([
    ['by itself', `exec ${hang}`],
    ['behind a wrapper', `${hang}; exit 1`],
    ['after it has printed', `echo "Building configuration..."; ${hang}`],
  ])('%s: given up in time, nobody left behind, and tried again', async (_, behaviour) => {
    const dir = await tempDir();
    const [stuck, wrapper] = [join(dir, 'stuck'), join(dir, 'vtysh')];
    const real = vtyshOf(frr)
      .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
      .join(' ');
    await writeFile(wrapper, `#!/bin/sh\nif [ -e ${stuck} ]; then ${behaviour}; fi\nexec ${real} "$@"\n`);
    await chmod(wrapper, 0o755);
    await writeFile(stuck, '');
    const driven = driveFrr(frr, { vtysh: [wrapper], answerTimeoutMs: 1_000 });
    const wanted = state(3, { extras: `! ${behaviour}\n` });
    driven.want(wanted);
    await eventually(() => {
      expect(driven.problems()).toEqual([
        expect.stringMatching(/^FRR cannot be reached: the long-lived vtysh gave no answer within 1000 ms$/),
      ]);
    });
    // Between two tries nobody is there; who was left behind would be there all the time.
    await eventually(async () => {
      expect([await processesWith(dir), await processesWith(hang)]).toEqual([[], []]);
    });

    await rm(stuck);
    await eventually(() => {
      expect(driven.last()).toEqual({ problems: [], applied: true });
    });
    expect(await missing(frr, render(wanted))).toEqual([]);

    await driven.stop();
  });

  test('and never answers as a long-lived one', async () => {
    const dir = await tempDir();
    const wrapper = join(dir, 'vtysh');
    await writeFile(wrapper, '#!/bin/sh\nsleep 600\n');
    await chmod(wrapper, 0o755);
    const shell = new VtyshShell([wrapper]);
    await expect(shell.run(['show daemons'], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'VTYSH_TIMEOUT',
    });
    expect(shell.isOpen).toBe(false);
    await expect(shell.run(['show daemons'], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'VTYSH_TIMEOUT',
    });
    await shell.close();
    expect(await processesWith(dir)).toEqual([]);
  });
});

describe('a vtysh that fails', () => {
  const SECRET = 'n0b0dy-may-see-th1s';

  test.each([
    [
      'killed while it prints',
      `echo "Building configuration..."; echo " neighbor x password ${SECRET}"; kill -9 $$`,
      'VTYSH_EXITED',
    ],
    ['missing', undefined, 'VTYSH_NOT_FOUND'],
  ])('%s: an error without what it printed', async (_, body, code) => {
    const dir = await tempDir();
    const wrapper = join(dir, 'vtysh');
    if (body !== undefined) {
      await writeFile(wrapper, `#!/bin/sh\n${body}\n`);
      await chmod(wrapper, 0o755);
    }
    const failed = await runVtysh([wrapper], ['-c', 'show running-config'], { timeoutMs: 5_000 }).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ name: 'VtyError', code });
    expect(inspect(failed, { depth: 10, showHidden: true }).includes(SECRET)).toBe(false);
    const shell = new VtyshShell([wrapper]);
    await expect(shell.run(['x'], { timeoutMs: 5_000 })).rejects.toMatchObject({ name: 'VtyError' });
  });

  test('given up on request', async () => {
    const signal = AbortSignal.timeout(200);
    await expect(runVtysh(['sleep'], ['600'], { timeoutMs: 5_000, signal })).rejects.toThrow(
      'given up on request',
    );
    await expect(runVtysh(['sleep'], ['600'], { timeoutMs: 5_000, signal })).rejects.toThrow(
      'given up on request',
    );
  });
});

describeWithFrr('the configuration file', (install) => {
  test("is complete whenever it is read, and its owner's alone", async () => {
    const frr = await startTestFrr({ install });
    const applier = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    const texts = [0, 1, 2, 3].map((index) => render(state(500 + index)));
    await applier.apply({ text: texts[0] ?? '', extras: '' });
    const owner = await stat(frr.configFile);
    const done = new AbortController();
    let reads = 0;
    const strange: string[] = [];
    const reader = (async () => {
      while (!done.signal.aborted) {
        const text = await readFile(frr.configFile, 'utf8');
        const { mode, uid } = await stat(frr.configFile);
        if (!texts.includes(text)) strange.push(text);
        if ((mode & 0o777) !== 0o600 || uid !== owner.uid)
          strange.push(`mode ${mode.toString(8)} uid ${uid}`);
        reads += 1;
      }
    })();
    for (let round = 1; round <= 20 || (reads <= 20 && round <= 1_000); round += 1) {
      await applier.apply({ text: texts[round % texts.length] ?? '', extras: '' });
    }
    done.abort();
    await reader;
    expect(reads).toBeGreaterThan(20);
    expect(strange).toEqual([]);
    await applier.close();
  });

  test('that cannot be written is said, and nothing is typed', async () => {
    const frr = await startTestFrr({ install });
    const configFile = join(await tempDir(), 'no-such-folder', 'frr.conf');
    const applier = new FrrApplier({ vtysh: vtyshOf(frr), configFile });
    await expect(applier.apply({ text: render(state(1)), extras: '' })).rejects.toMatchObject({
      code: 'CONFIG_FILE_NOT_WRITTEN',
    });
    expect(await frr.show('show running-config')).not.toContain('router bgp');
    await applier.close();
  });
});

describeWithFrr('a running FRR', (install) => {
  test('is taken over without a line, extras that it prints otherwise included', async () => {
    const frr = await startTestFrr({ install });
    const extras = [
      'ip prefix-list users permit 203.0.113.0/24',
      'route-map 192.0.2.1-in permit 10',
      ' match ip address prefix-list users',
      'router bgp 64496',
      ' neighbor 192.0.2.1 timers 5 9',
    ].join('\n');
    const bgp = state(5, { extras });
    const wanted = { text: render(bgp), extras };
    const first = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    expect(await first.apply(wanted)).toMatchObject({ kind: 'applied', verified: true });
    expect(await first.verify()).toEqual({ kind: 'unchanged' });
    await first.close();

    const second = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    expect(await second.apply(wanted)).toEqual({ kind: 'unchanged' });
    // What was printed otherwise goes with what was typed.
    expect(await second.apply({ text: render({ ...bgp, extras: '' }), extras: '' })).toMatchObject({
      kind: 'applied',
    });
    await second.verify();
    expect(await second.verify()).toEqual({ kind: 'unchanged' });
    expect(await missing(frr, render({ ...bgp, extras: '' }))).toEqual([]);
    await second.close();
  });

  test('is taken over when what was learnt of the extras is lost', async () => {
    const frr = await startTestFrr({ install });
    const extras = 'ip prefix-list users permit 203.0.113.0/24\n';
    const wanted = { text: render(state(1, { extras })), extras };
    const first = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    await first.apply(wanted);
    await first.close();
    await writeFile(join(dirname(frr.configFile), '.metallb-frr-extras.json'), '{"half":');

    const second = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    await second.apply(wanted);
    expect(await second.verify()).toEqual({ kind: 'unchanged' });
    expect(await frr.show('show running-config')).toContain(
      'ip prefix-list users seq 5 permit 203.0.113.0/24',
    );
    await second.close();
  });

  test('keeps what is not known yet, and loses it when it is known', async () => {
    const frr = await startTestFrr({ install });
    const [both, one] = [render(state(2)), render(state(1))];
    const first = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    await first.apply({ text: both, extras: '' });
    await first.close();

    const second = new FrrApplier({ vtysh: vtyshOf(frr), configFile: frr.configFile });
    expect(await second.apply({ text: one, extras: '', keepUnknown: true })).toEqual({ kind: 'unchanged' });
    expect(await second.verify()).toEqual({ kind: 'unchanged' });
    expect(await missing(frr, both)).toEqual([]);
    expect(await readFile(frr.configFile, 'utf8')).toBe(both);
    const three = render({ ...state(1), bfdProfiles: [{ name: 'new', echoMode: false, passiveMode: true }] });
    expect(await second.apply({ text: three, extras: '', keepUnknown: true })).toMatchObject({
      kind: 'applied',
    });
    expect(await frr.show('show running-config')).toContain('profile new');
    expect(await frr.show('show running-config')).toContain('network 10.0.0.1/32');
    expect(await second.apply({ text: one, extras: '' })).toMatchObject({ kind: 'applied' });
    expect(await missing(frr, one)).toEqual([]);
    expect(await readFile(frr.configFile, 'utf8')).toBe(one);
    await second.close();
  });
});

/** Command lines that hold a text, of processes that live. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/cmdline`, 'utf8').then(
        (line) => line.replaceAll('\0', ' '),
        () => '',
      ),
    ),
  );
  return lines.filter((line) => line.includes(text));
}
