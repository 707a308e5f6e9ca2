import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Peer } from '../config/index.ts';
import { formatProblem } from '../core/problem.ts';
import { VtyError, type ApplyOutcome, type WantedConfig } from '../frr-vty/index.ts';
import type { BgpDesiredState } from '../reconciler/index.ts';
import { peer } from '../reconciler/test-objects.ts';
import { createFrrDriver, type AppliedChange, type FrrDriver, type FrrReport } from './frr-driver.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const TOR = peer('tor', '192.0.2.1');
const SPINE = peer('spine', '192.0.2.2');
const INPUT = { inputAt: 0 };

function state(...peers: readonly Peer[]): BgpDesiredState {
  return {
    routers: peers.length === 0 ? [] : [{ asn: 64496, vrf: '', neighbors: peers, originated: [] }],
    bfdProfiles: [],
    extras: '',
  };
}

/** So many prefixes; the harness shows the port, so it is that number too. */
function withPrefixes(count: number): BgpDesiredState {
  const prefix = { family: 'ipv4', first: 0n, length: 32, text: '192.0.2.0/32' } as const;
  const originated = Array.from({ length: count }, () => ({ prefix, treatment: { key: '', peers: [] } }));
  return {
    routers: [{ asn: 64496, vrf: '', neighbors: [{ ...TOR, port: count }], originated }],
    bfdProfiles: [],
    extras: '',
  };
}

const APPLIED: ApplyOutcome = { kind: 'applied', lines: 3, via: 'shell', verified: false };
const UNCHANGED: ApplyOutcome = { kind: 'unchanged' };

interface Harness {
  readonly driver: FrrDriver;
  /** Answers of `apply` and `verify`, by what is asked; they may throw. */
  answer: (asked: string) => ApplyOutcome;
  /** How long a reading takes. */
  verifyTakesMs: number;
  /** `apply NAMES` (peers of the text), `verify` and `forget`, in order. */
  readonly asked: string[];
  readonly reports: FrrReport[];
  readonly applied: AppliedChange[];
  readonly log: string[];
  readonly abort: AbortController;
  readonly problems: () => string[];
}

function harness(): Harness {
  const asked: string[] = [];
  const reports: FrrReport[] = [];
  const applied: AppliedChange[] = [];
  const log: string[] = [];
  const abort = new AbortController();
  let held: string | undefined;
  const ask = (what: string): Promise<ApplyOutcome> => {
    asked.push(what);
    return Promise.resolve().then(() => result.answer(what));
  };
  const driver = createFrrDriver({
    applier: {
      apply: async (wanted: WantedConfig) => {
        if (wanted.text === held) return UNCHANGED;
        const outcome = await ask(`apply ${wanted.text}${wanted.keepUnknown === true ? ' keeping' : ''}`);
        if (outcome.kind === 'applied') held = wanted.text;
        return outcome;
      },
      verify: async () => {
        if (result.verifyTakesMs > 0)
          await new Promise((resolve) => setTimeout(resolve, result.verifyTakesMs));
        return ask('verify');
      },
      forget: () => {
        asked.push('forget');
        held = undefined;
        return Promise.resolve();
      },
    },
    render: (bgp) =>
      bgp.routers.flatMap(({ neighbors }) => neighbors.map(({ name, port }) => `${name}:${port}`)).join(' '),
    renderOptions: { hostname: 'n1', logLevel: 'informational' },
    namespace: 'metallb-system',
    logger: pino({ level: 'trace' }, { write: (line: string) => log.push(line) }),
    signal: abort.signal,
    onReport: (report) => reports.push(report),
    onApply: (change) => applied.push(change),
  });
  const result: Harness = {
    driver,
    answer: (what) => (what.startsWith('apply') ? APPLIED : UNCHANGED),
    verifyTakesMs: 0,
    asked,
    reports,
    applied,
    log,
    abort,
    problems: () => reports.at(-1)?.problems.map(formatProblem) ?? [],
  };
  return result;
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

function refusal(line: string): ApplyOutcome {
  return {
    kind: 'refused',
    refused: [{ path: ['router bgp 64496'], line, words: 'Not today' }],
    restored: true,
  };
}

describe('the driver', () => {
  test('applies at once, reads back a second later, and then leaves FRR alone', async () => {
    const h = harness();
    h.driver.want(state(TOR), INPUT);
    await settle();
    expect(h.asked).toEqual(['apply tor:179']);
    expect(h.reports.at(-1)).toEqual({ problems: [], applied: true });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(h.asked).toEqual(['apply tor:179', 'verify']);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(h.asked).toEqual(['apply tor:179', 'verify']);
    h.abort.abort();
  });

  test('does not read back what was read back already', async () => {
    const h = harness();
    h.answer = () => ({ kind: 'applied', lines: 1_000, via: 'file', verified: true });
    h.driver.want(state(TOR), INPUT);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(h.asked).toEqual(['apply tor:179']);
    h.abort.abort();
  });

  test('reads FRR less often when that takes long, so that an idle node has nothing to do', async () => {
    const h = harness();
    h.verifyTakesMs = 200;
    h.driver.want(state(TOR), INPUT);
    const readings = (): number => h.asked.filter((what) => what === 'verify').length;
    await vi.advanceTimersByTimeAsync(230_000);
    // A second after the change.
    expect(readings()).toBe(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(readings()).toBe(2);
    h.verifyTakesMs = 20_000;
    await vi.advanceTimersByTimeAsync(600_000);
    const before = readings();
    await vi.advanceTimersByTimeAsync(680_000);
    expect(readings()).toBe(before + 1);
    h.abort.abort();
  });

  test('reads FRR once a minute, also while changes keep coming', async () => {
    const h = harness();
    for (let port = 1; port <= 70; port += 1) {
      h.driver.want(state({ ...TOR, port }), INPUT);
      await vi.advanceTimersByTimeAsync(900);
    }
    expect(h.asked.filter((what) => what === 'verify').length).toBe(1);
    h.abort.abort();
  });

  test('lets a burst of prefixes come to an end, for a quarter of a second at most', async () => {
    const h = harness();
    h.driver.want(withPrefixes(1), INPUT);
    await settle();
    h.driver.want(withPrefixes(21), INPUT);
    await settle();
    expect(h.asked, 'twenty more are typed at once').toEqual(['apply tor:1', 'apply tor:21']);
    h.driver.want(withPrefixes(42), INPUT);
    await vi.advanceTimersByTimeAsync(49);
    h.driver.want(withPrefixes(1_000), INPUT);
    let idle = false;
    const settled = h.driver.idle().then(() => {
      idle = true;
    });
    await vi.advanceTimersByTimeAsync(49);
    expect(h.asked).toHaveLength(2);
    expect(idle).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(h.asked.slice(2)).toEqual(['apply tor:1000']);
    await settled;

    for (let count = 2_000; count < 2_010; count += 1) {
      h.driver.want(withPrefixes(count), INPUT);
      await vi.advanceTimersByTimeAsync(30);
    }
    // Typed after 250 ms; what comes then is one more and no burst.
    expect(h.asked.slice(3), 'it does not wait for ever').toEqual(['apply tor:2008', 'apply tor:2009']);
    h.abort.abort();
  });

  test('drops what was overtaken', async () => {
    const h = harness();
    h.driver.want(state(TOR), INPUT);
    h.driver.want(state(SPINE), INPUT);
    h.driver.want(state(SPINE, TOR), INPUT);
    await settle();
    expect(h.asked).toEqual(['apply tor:179', 'apply spine:179 tor:179']);
    h.abort.abort();
  });

  test('says what part of the input is not known yet', async () => {
    const h = harness();
    h.driver.want(state(TOR), { inputAt: 0, keepUnknown: true });
    await settle();
    expect(h.asked).toEqual(['apply tor:179 keeping']);
    h.abort.abort();
  });

  test('tries again while FRR is away, says so once, and says when it is back', async () => {
    const h = harness();
    let away = true;
    h.answer = () => {
      if (away) throw new VtyError('FRR_NOT_RUNNING', 'bgpd is not running');
      return APPLIED;
    };
    h.driver.want(state(TOR), INPUT);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(h.asked.length).toBeGreaterThan(3);
    expect(h.problems()).toEqual(['FRR cannot be reached: bgpd is not running']);
    expect(h.reports.at(-1)?.applied).toBe(false);
    expect(h.log.filter((line) => line.includes('bgpd is not running')).length).toBe(1);
    away = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(h.reports.at(-1)).toEqual({ problems: [], applied: true });
    h.abort.abort();
  });

  test('does not wait when FRR was restarted, and looks afresh', async () => {
    const h = harness();
    let away = true;
    h.answer = (what) => {
      if (away) throw new VtyError('FRR_NOT_RUNNING', 'bgpd is not running');
      return what.startsWith('apply') ? APPLIED : UNCHANGED;
    };
    h.driver.want(state(TOR), INPUT);
    await vi.advanceTimersByTimeAsync(60_000);
    away = false;
    h.asked.splice(0);
    h.driver.frrRestarted();
    await settle();
    expect(h.asked).toEqual(['forget', 'apply tor:179', 'verify']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(h.asked.length).toBe(3);
    h.abort.abort();
  });

  test('a fault of ours is logged with its place, reported, and does not end the driver', async () => {
    const h = harness();
    let broken = true;
    h.answer = () => {
      if (broken) throw new TypeError('cannot read x of undefined');
      return APPLIED;
    };
    h.driver.want(state(TOR), INPUT);
    await settle();
    expect(h.problems()).toEqual(['FRR cannot be configured: cannot read x of undefined']);
    expect(h.log.join('')).toContain('frr-driver.test.ts');
    broken = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(h.problems()).toEqual([]);
    h.abort.abort();
  });

  test('stops with its signal', async () => {
    const h = harness();
    h.driver.want(state(TOR), INPUT);
    await settle();
    h.abort.abort();
    await h.driver.idle();
    h.driver.want(state(SPINE), INPUT);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(h.asked).toEqual(['apply tor:179']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('stops with its signal in a burst, too', async () => {
    const h = harness();
    h.driver.want(withPrefixes(1), INPUT);
    await settle();
    h.driver.want(withPrefixes(1_000), INPUT);
    h.abort.abort();
    await h.driver.idle();
    expect(h.asked).toEqual(['apply tor:1']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('refused', () => {
  const bad = { ...TOR, port: 1 };

  function refusingPortOne(h: Harness): void {
    h.answer = (what) => {
      if (what.includes('tor:1')) {
        if (what.includes('tor:179')) return APPLIED;
        return refusal('neighbor 192.0.2.1 port 1');
      }
      return what.startsWith('apply') ? APPLIED : UNCHANGED;
    };
  }

  test("a peer is left out, the others go on, and FRR's words are reported", async () => {
    const h = harness();
    refusingPortOne(h);
    h.driver.want(state(SPINE, bad), INPUT);
    await settle();
    expect(h.asked).toEqual(['apply spine:179 tor:1', 'apply spine:179']);
    expect(h.problems()).toEqual([
      'BGPPeer metallb-system/tor: spec: FRR refuses "neighbor 192.0.2.1 port 1": Not today; the last good version stays in use',
    ]);
    expect(h.reports.at(-1)?.applied).toBe(true);
    h.abort.abort();
  });

  test('the last good version of a peer stays', async () => {
    const h = harness();
    refusingPortOne(h);
    h.driver.want(state(SPINE, TOR), INPUT);
    await settle();
    h.driver.want(state(SPINE, bad), INPUT);
    await settle();
    h.driver.want(state(SPINE, bad, peer('third', '192.0.2.3')), INPUT);
    await settle();
    expect(h.asked).toEqual([
      'apply spine:179 tor:179',
      'apply spine:179 tor:1',
      'apply spine:179 tor:179 third:179',
    ]);
    h.abort.abort();
  });

  test('an edited peer is tried again', async () => {
    const h = harness();
    refusingPortOne(h);
    h.driver.want(state(SPINE, bad), INPUT);
    await settle();
    h.driver.want(state(SPINE, { ...TOR, port: 2 }), INPUT);
    await settle();
    expect(h.asked.at(-1)).toBe('apply spine:179 tor:2');
    expect(h.problems()).toEqual([]);
    h.abort.abort();
  });

  test('by the read-back: the version that was taken without a word is not the good one', async () => {
    const h = harness();
    const residual = [{ path: ['router bgp 64496'], line: 'neighbor 192.0.2.1 port 1' }];
    h.answer = (what) => {
      const last = h.asked.findLast((item) => item.startsWith('apply'));
      if (what === 'verify' && last?.endsWith('tor:1') === true)
        return { kind: 'not-closed', residual, restored: true };
      return what.startsWith('apply') ? APPLIED : UNCHANGED;
    };
    h.driver.want(state(SPINE, bad), INPUT);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(h.asked).toEqual(['apply spine:179 tor:1', 'verify', 'apply spine:179', 'verify']);
    expect(h.problems()).toEqual([expect.stringContaining('taken without a word')]);
    h.driver.want(state(SPINE, TOR), INPUT);
    await vi.advanceTimersByTimeAsync(10_000);
    h.asked.splice(0);
    h.driver.want(state(SPINE, bad), INPUT);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(h.asked).toEqual(['apply spine:179 tor:1', 'verify', 'apply spine:179 tor:179', 'verify']);
    h.abort.abort();
  });

  test('and nobody to blame: not tried again until something changes or a minute has passed', async () => {
    const h = harness();
    h.answer = (what) => (what.includes('tor') ? refusal('bgp router-id 0.0.0.0') : APPLIED);
    h.driver.want(state(TOR), INPUT);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(h.asked).toEqual(['apply tor:179']);
    expect(h.problems()).toEqual([
      'FRR refuses "bgp router-id 0.0.0.0": Not today; the last good configuration stays',
    ]);
    expect(h.reports.at(-1)?.applied).toBe(false);
    h.driver.want(state(SPINE), INPUT);
    await settle();
    expect(h.asked.at(-1)).toBe('apply spine:179');
    expect(h.problems()).toEqual([]);
    h.driver.want(state(TOR), INPUT);
    await settle();
    const before = h.asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(h.asked.slice(before)).toEqual(['apply tor:179']);
    h.abort.abort();
  });
});

describe('the time from hearing of a change until FRR has it', () => {
  const heard = (): { readonly inputAt: number; readonly heardAtMs: number } => ({
    inputAt: 0,
    heardAtMs: performance.now(),
  });
  const times = ({ applied }: Harness): unknown[] =>
    applied.map(({ outcome, sinceHeardMs }) => [outcome, sinceHeardMs]);

  test('begins with the oldest change that FRR has not, through every failure', async () => {
    const h = harness();
    const answer = h.answer;
    h.answer = () => {
      throw new VtyError('FRR_NOT_RUNNING', 'bgpd is not there');
    };
    h.driver.want(state(TOR), heard());
    await vi.advanceTimersByTimeAsync(40);
    h.driver.want(state(TOR, SPINE), heard());
    await vi.advanceTimersByTimeAsync(20);
    h.answer = answer;
    h.driver.frrRestarted();
    await settle();
    expect(times(h)).toEqual([
      ['failed', undefined],
      ['applied', 60],
    ]);
    await vi.advanceTimersByTimeAsync(5_000);
    h.driver.want(state(SPINE), heard());
    await settle();
    expect(times(h).at(-1)).toEqual(['applied', 0]);
  });

  test('of what came while FRR was at work is its own', async () => {
    const h = harness();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    h.answer = () => {
      h.driver.want(state(TOR, SPINE), { inputAt: 0, heardAtMs: performance.now() - 100 });
      h.driver.want(state(SPINE), heard());
      resolve(undefined);
      h.answer = () => APPLIED;
      return APPLIED;
    };
    h.driver.want(state(TOR), { inputAt: 0, heardAtMs: performance.now() - 500 });
    await promise;
    await settle();
    expect(times(h)).toEqual([
      ['applied', 500],
      ['applied', 100],
    ]);
  });

  test('is not measured of a change that is none for FRR, or that FRR has without us', async () => {
    const h = harness();
    h.driver.want(state(TOR), heard());
    await settle();
    await vi.advanceTimersByTimeAsync(5_000);
    h.driver.want(state(TOR), heard());
    await vi.advanceTimersByTimeAsync(5_000);
    h.driver.want(state(SPINE), heard());
    await settle();
    expect(times(h)).toEqual([
      ['applied', 0],
      ['applied', 0],
    ]);
  });

  test('does not count the days for which FRR refused something', async () => {
    const h = harness();
    h.answer = () => refusal('router-id nonsense');
    h.driver.want(state(TOR), heard());
    await vi.advanceTimersByTimeAsync(10_000);
    h.answer = () => APPLIED;
    h.driver.want(state(SPINE), heard());
    await settle();
    expect(times(h).at(-1)).toEqual(['applied', 0]);
    expect(times(h)[0]).toEqual(['refused', undefined]);
  });
});
