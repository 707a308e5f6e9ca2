import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../scripts/lib/process.mjs';
import type { AlertRule } from './helm.ts';

/** Prometheus' own check of rules, from Debian's package `prometheus`; PROMTOOL names another one. */
export async function findPromtool(): Promise<string | undefined> {
  return process.env.PROMTOOL ?? (await findProgram('promtool'));
}

export interface Verdict {
  readonly ok: boolean;
  /** All that promtool says. */
  readonly text: string;
}

export interface AlertCase {
  readonly alert: string;
  /** Series by what stands before their values, and one value for each minute from 0 on (`0x9`: ten zeros). */
  readonly series: Readonly<Record<string, string>>;
  readonly atMinute: number;
  /** Every alert of that name that fires then, without the label `alertname`. */
  readonly firing: readonly FiringAlert[];
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Default: the rule's own, for one that holds no value. */
  readonly description?: string;
}

/** `promtool check rules` of groups as a PrometheusRule has them. */
export function checkRules(promtool: string, groups: readonly object[]): Verdict {
  return inFolder({ 'rules.yaml': { groups } }, (folder) =>
    run(promtool, ['check', 'rules', join(folder, 'rules.yaml')]),
  );
}

/** `promtool test rules`: whether an alert fires, with its labels and what it says. */
export function testRules(
  promtool: string,
  groups: readonly { readonly rules: readonly AlertRule[] }[],
  { alert, series, atMinute, firing }: AlertCase,
): Verdict {
  const rule = groups.flatMap(({ rules }) => rules).find((each) => each.alert === alert);
  const expected = firing.map(({ labels, summary, description = rule?.annotations.description }) => ({
    exp_labels: labels,
    exp_annotations: { summary, description },
  }));
  const cases = {
    rule_files: ['rules.yaml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: [{ eval_time: `${atMinute}m`, alertname: alert, exp_alerts: expected }],
      },
    ],
  };
  return inFolder({ 'rules.yaml': { groups }, 'test.yaml': cases }, (folder) =>
    run(promtool, ['test', 'rules', join(folder, 'test.yaml')]),
  );
}

/** JSON is YAML too. */
function inFolder<T>(files: Readonly<Record<string, object>>, work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mlf-rules-'));
  try {
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, name), JSON.stringify(content));
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): Verdict {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  return { ok: status === 0, text: stdout + stderr };
}
