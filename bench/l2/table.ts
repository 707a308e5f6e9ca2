import { formatTable } from '../../src/cli/index.ts';
import type { FaultRunResult } from '../../test/lan/index.ts';
import { machineText, type Machine } from '../support/machine.ts';
import type { Summary } from '../support/stats.ts';
import type { LatencyResult } from './latency.ts';
import type { ManyResult } from './many.ts';
import type { PlannedResult } from './planned.ts';
import type { TakeoverResult } from './takeover.ts';
import type { TrafficResult } from './traffic.ts';

/** Who is measured where it is not keepalived. */
export const OURS = 'metallb-frr';

export const TAKEOVERS = ['link', 'carrier', 'frozen', 'power', 'speaker', 'frr'] as const;

/** What the rows are called, with the bars for them in milliseconds. */
const TITLES: Readonly<Record<(typeof TAKEOVERS)[number], { what: string; p50?: number; p99: number }>> = {
  link: { what: "owner's link cut, carrier stays", p50: 250, p99: 500 },
  carrier: { what: "owner's cable pulled", p50: 250, p99: 500 },
  frozen: { what: "owner's processes frozen", p50: 250, p99: 500 },
  power: { what: 'owner without power', p50: 250, p99: 500 },
  speaker: { what: "owner's speaker killed", p99: 1_000 },
  frr: { what: 'FRR killed under the owner', p99: 1_000 },
};

export interface TakeoverRow {
  readonly by: string;
  readonly fault: string;
  readonly ip: string;
  readonly result: TakeoverResult;
}

export interface Report {
  readonly machine: Machine;
  readonly takeovers: readonly TakeoverRow[];
  readonly planned: readonly PlannedResult[];
  readonly latency: readonly LatencyResult[];
  readonly many?: ManyResult;
  readonly traffic?: TrafficResult;
  readonly faults?: FaultRunResult;
  /** Rows that could not be measured, and why. */
  readonly failures: readonly string[];
  /** Rules that were broken, which is a failure of the run as well. */
  readonly broken: readonly string[];
}

/** All that was measured, with the bars. */
export function tableOf(report: Report): string {
  const { machine, takeovers, planned, latency, many, traffic, faults } = report;
  const rows: string[][] = [];
  const row = (what: string, by: string, summary: Summary, bar = '', isMet?: boolean): void => {
    const { count: n, p50, p90, p99, max } = summary;
    const met = isMet === undefined ? '' : isMet ? 'yes' : 'NO';
    rows.push([what, by, ...[n, p50, p90, p99, max].map(String), bar, met]);
  };
  const fact = (what: string, by: string, value: string, bar = '', isMet?: boolean): void => {
    rows.push([what, by, value, '', '', '', '', bar, isMet === undefined ? '' : isMet ? 'yes' : 'NO']);
  };
  for (const { by, fault, ip, result } of takeovers) {
    const isOurs = by === OURS;
    const title = isTakeover(fault) ? TITLES[fault] : undefined;
    const what = `${title?.what ?? 'its daemon killed'} -> announced by another${familyOf(ip)}`;
    const { moved } = result;
    if (moved === undefined) {
      fact(
        what,
        by,
        `stayed ${result.stayed} of ${result.trials}`,
        '',
        isOurs && title ? fault === 'frr' : undefined,
      );
      continue;
    }
    if (!isOurs || title === undefined) {
      row(what, by, moved);
      continue;
    }
    const isMet =
      moved.p99 <= title.p99 &&
      (title.p50 === undefined || moved.p50 <= title.p50) &&
      (fault === 'frr' || result.stayed === 0);
    row(
      what,
      by,
      moved,
      `${title.p50 === undefined ? '' : `p50 <= ${title.p50}, `}p99 <= ${title.p99}`,
      isMet,
    );
    if (result.stayed > 0) fact(what, by, `stayed ${result.stayed} of ${result.trials}`);
  }
  for (const { plan, ip, moved, trials, pings, lost, transfers, broken, longestGapMs } of planned) {
    const value = `${lost} of ${pings} pings lost, ${broken} of ${transfers} transfers broken, moved ${moved} of ${trials}`;
    fact(
      `${plan}: ping each 1 ms, upload${familyOf(ip)}`,
      OURS,
      `${value}, ARP gap ${longestGapMs}`,
      '0, 0',
      lost + broken === 0,
    );
  }
  for (const { family, kernel, ours, lost, perSecond } of latency) {
    const { what, p50, p99 } =
      family === 'ipv4' ? { what: 'ARP', p50: 60, p99: 150 } : { what: 'NS', p50: 80, p99: undefined };
    row(`${what} -> answer, us`, "the node's kernel", kernel);
    const isMet = ours.p50 <= p50 && (p99 === undefined || ours.p99 <= p99) && lost === 0;
    row(
      `${what} -> answer, us`,
      OURS,
      ours,
      `p50 <= ${p50}${p99 === undefined ? '' : `, p99 <= ${p99}`}`,
      isMet,
    );
    const isFast = family === 'ipv4' ? perSecond >= 25_000 : undefined;
    fact(`${what} answers a second`, OURS, String(perSecond), family === 'ipv4' ? '>= 25000' : '', isFast);
  }
  if (many) {
    row(`${many.addresses} Services added -> all announced`, OURS, many.added);
    row(
      `all speakers start, ${many.addresses} addresses -> all announced`,
      OURS,
      many.claimed,
      '<= 2000',
      many.claimed.max <= 2_000,
    );
    row(
      `owner of ${many.ofThem.join(', ')} without power -> all moved`,
      OURS,
      many.moved,
      '<= 1500',
      many.moved.max <= 1_500,
    );
  }
  if (traffic) {
    const { bfd, questions, announcements, other } = traffic.perNode;
    fact(
      'sent by a node of 3, bytes/s',
      OURS,
      `BFD ${bfd}, ARP and ND ${questions}, announcements ${announcements}, other ${other}`,
    );
    const { nodes, addresses, bytesPerSecond } = traffic.computed;
    fact(
      `sent by a node of ${nodes}, ${addresses} addresses, bytes/s, computed`,
      OURS,
      String(bytesPerSecond),
      '<= 5000',
      bytesPerSecond <= 5_000,
    );
  }
  if (faults) {
    const { seed, violations, longestOverlapMs, longestGapMs } = faults;
    const value = `${violations.length} violations; two owners for at most ${longestOverlapMs}, none for ${longestGapMs}`;
    fact(`${faults.faults} random faults, seed ${seed}`, OURS, value, '0', violations.length === 0);
  }
  return [
    `milliseconds, if nothing else is said; ${machineText(machine)}`,
    formatTable(['what', 'by', 'n', 'p50', 'p90', 'p99', 'max', 'bar', 'met'], rows),
    ...report.failures.map((failure) => `failed: ${failure}`),
    ...report.broken.map((rule) => `broken: ${rule}`),
    '',
  ].join('\n');
}

/** IPv4 goes without saying. */
function familyOf(ip: string): string {
  return ip.includes(':') ? ', IPv6' : '';
}

function isTakeover(fault: string): fault is (typeof TAKEOVERS)[number] {
  return TAKEOVERS.some((each) => each === fault);
}
