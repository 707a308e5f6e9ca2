import { Command } from 'commander';
import type { Problem } from '../core/problem.ts';
import { compileFrrConf } from '../frr-render/index.ts';
import { nodeNamesOf, planCluster, planNode, type ClusterPlan } from '../pipeline/index.ts';
import { filesOption, loadBalancerClassOption, namespaceOption, withOptions } from './common-options.ts';
import {
  EXIT,
  examples,
  formatData,
  formatTable,
  hasErrors,
  outputOption,
  problemLines,
  type OutputForm,
} from './output.ts';
import { manifestsFrom } from './manifests.ts';
import { readTemplate } from './template.ts';

export function validateCommand(): Command {
  const command = new Command('validate')
    .summary('check manifests')
    .description(
      'Checks manifests as the controller and the speakers would: YAML, fields, rules between objects, addresses for the ' +
        'Services, and what each node would announce. Problems go to standard error.',
    )
    .addHelpText(
      'after',
      examples(
        'metallb-frr validate -f examples/custom-resources',
        'metallb-frr validate -f metallb.yaml -o json',
        'kubectl get -A -o yaml services | metallb-frr validate -f metallb.yaml -f -',
      ),
    );
  return withOptions(
    command,
    filesOption(),
    namespaceOption(),
    loadBalancerClassOption(),
    outputOption(),
  ).action(run);
}

interface Report {
  readonly valid: boolean;
  readonly objects: Readonly<Record<string, number>>;
  readonly services: readonly {
    readonly service: string;
    readonly addresses: readonly string[];
    readonly reason?: string;
  }[];
  readonly problems: readonly Problem[];
}

function run(options: { filename: string[]; namespace: string; lbClass: string; output: OutputForm }): void {
  const read = manifestsFrom(options.filename, options.namespace);
  const plan = planCluster(read.snapshot, { loadBalancerClass: options.lbClass, endpoints: 'assumed' });
  const problems = unique([...read.problems, ...plan.problems, ...nodeProblems(plan)]);
  const report: Report = {
    valid: !hasErrors(problems),
    objects: Object.fromEntries(
      Object.entries(read.snapshot.objects)
        .map(([kind, objects]) => [kind, objects.length] as const)
        .filter(([, count]) => count > 0),
    ),
    services: plan.assignments.map((decision) => ({
      service: decision.key,
      addresses: decision.ingress,
      ...(decision.outcome === 'assigned' ? {} : { reason: decision.reason.message }),
    })),
    problems,
  };
  if (options.output === 'table') {
    process.stdout.write(tableOf(report));
    process.stderr.write(problemLines(problems));
  } else {
    process.stdout.write(formatData(report, options.output));
  }
  process.exitCode = report.valid ? EXIT.fine : EXIT.problems;
}

function nodeProblems(plan: ClusterPlan): readonly Problem[] {
  const template = compileFrrConf(readTemplate());
  return nodeNamesOf(plan.snapshot).flatMap((nodeName) => planNode(plan, { nodeName, template }).problems);
}

/** A conflict on three nodes is one problem. */
function unique(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function tableOf(report: Report): string {
  const counts = Object.entries(report.objects).map(([kind, count]) => `${count} ${kind}`);
  const lines = [counts.length === 0 ? 'no objects' : counts.join(', ')];
  if (report.services.length > 0) {
    const rows = report.services.map(({ service, addresses, reason }) => [
      service,
      addresses.join(', ') || '-',
      reason ?? '',
    ]);
    lines.push(formatTable(['SERVICE', 'ADDRESSES', 'REASON'], rows));
  }
  const errors = report.problems.filter(({ severity }) => severity === 'error').length;
  const warnings = report.problems.length - errors;
  lines.push(
    report.valid
      ? `valid${warnings > 0 ? `, ${count(warnings, 'warning')}` : ''}`
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`,
  );
  return `${lines.join('\n')}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
