import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import type { Problem } from '../../src/core/problem.ts';
import { formatProblem } from '../../src/core/problem.ts';
import { diffFrrConfig, linesOf, parseFrrConfig } from '../../src/frr-config/index.ts';
import { compileFrrConf } from '../../src/frr-render/index.ts';
import { FrrApplier, watchDaemons, type VtyshCommand } from '../../src/frr-vty/index.ts';
import type { Frr } from '../../src/lab/index.ts';
import type { BgpDesiredState } from '../../src/reconciler/index.ts';
import { createFrrDriver, type FrrReport } from '../../src/speaker/frr-driver.ts';
import { atEnd } from '../support/index.ts';

const compiled = compileFrrConf(
  readFileSync(new URL('../../templates/frr.conf.hbs', import.meta.url), 'utf8'),
);

export function render(bgp: BgpDesiredState): string {
  return compiled(bgp, { hostname: 'n1', logLevel: 'informational' });
}

export function vtyshOf(frr: Frr): VtyshCommand {
  const [file, ...args] = frr.vtysh;
  if (file === undefined) throw new Error('no vtysh');
  return [file, ...args];
}

/** What would have to be typed for FRR to hold a configuration, as FRR itself tells what it holds. */
export async function missing(frr: Frr, text: string): Promise<readonly string[]> {
  const running = parseFrrConfig(await frr.show('show running-config'));
  return linesOf(diffFrrConfig(running, parseFrrConfig(text)));
}

/** The part of a speaker that keeps FRR at what is wanted, with all that it says. */
export interface DrivenFrr {
  readonly want: (bgp: BgpDesiredState) => void;
  /** Settles when nothing is being done and nothing is due at once; never while FRR is away. */
  readonly idle: () => Promise<void>;
  readonly last: () => FrrReport | undefined;
  /** Of the last report, one line each. */
  readonly problems: () => string[];
  /** Everything that was logged or reported, ever. */
  readonly said: () => string;
  /** Lines of the log that hold a text. */
  readonly logged: (text: string) => number;
  readonly stop: () => Promise<void>;
}

/** @param options.vtysh another command to reach the same FRR by */
export function driveFrr(
  frr: Frr,
  options: { readonly vtysh?: VtyshCommand; readonly answerTimeoutMs?: number } = {},
): DrivenFrr {
  const abort = new AbortController();
  const log: string[] = [];
  const reports: FrrReport[] = [];
  const problems: Problem[] = [];
  const { vtysh = vtyshOf(frr), answerTimeoutMs } = options;
  const applier = new FrrApplier({
    vtysh,
    configFile: frr.configFile,
    ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs, fileTimeoutMs: answerTimeoutMs }),
  });
  const driver = createFrrDriver({
    applier,
    render: compiled,
    renderOptions: { hostname: 'n1', logLevel: 'informational' },
    namespace: 'metallb-system',
    logger: pino({ level: 'trace' }, { write: (line: string) => log.push(line) }),
    signal: abort.signal,
    onReport: (report) => {
      reports.push(report);
      problems.push(...report.problems);
    },
  });
  const daemons = watchDaemons(frr.socketsDir, () => {
    driver.frrRestarted();
  });
  const stop = async (): Promise<void> => {
    abort.abort();
    await daemons.close();
    await driver.idle();
    await applier.close();
  };
  atEnd(stop);
  return {
    want: (bgp) => {
      driver.want(bgp, { inputAt: Date.now() });
    },
    idle: driver.idle,
    last: () => reports.at(-1),
    problems: () => reports.at(-1)?.problems.map(formatProblem) ?? [],
    said: () => [...log, ...problems.map((problem) => JSON.stringify(problem))].join('\n'),
    logged: (text) => log.filter((line) => line.includes(text)).length,
    stop,
  };
}
