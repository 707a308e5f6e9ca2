import { Command } from 'commander';
import { dump } from 'js-yaml';
import { isMetallbKind, writeManifest, type ApiKind, type ApiObject } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';
import { filesOption, namespaceOption, withOptions } from './common-options.ts';
import { manifestsFrom } from './manifests.ts';
import { operatorValuesOf } from './operator-values.ts';
import { EXIT, examples, hasErrors, problemLines, severityWord } from './output.ts';

/** The order that MetalLB's own converter writes them in. */
const ORDER: readonly ApiKind[] = [
  ...(['BGPPeer', 'IPAddressPool', 'BGPAdvertisement', 'L2Advertisement'] as const),
  ...(['BFDProfile', 'Community'] as const),
];

export function convertCommand(): Command {
  const command = new Command('convert')
    .summary("turn MetalLB's older forms into objects of today")
    .description(
      "Reads MetalLB's ConfigMap `config`, AddressPools, BGPPeers v1beta1 and objects of today, and prints all of them as " +
        'objects of today. What is wrong goes to standard error, and the rest is printed all the same. The output holds BGP ' +
        'passwords in clear text. With --chart-values it reads the MetalLB object of the OpenShift operator instead, and ' +
        'prints values for the chart.',
    )
    .option('--chart-values', 'print chart values for an object of kind MetalLB', false)
    .addHelpText(
      'after',
      examples(
        'kubectl get -n metallb-system configmap config -o yaml | metallb-frr convert -f - > metallb.yaml',
        'metallb-frr convert -f examples/configmap/config.yaml',
        'kubectl get -n metallb-system metallb metallb -o yaml | metallb-frr convert --chart-values -f - > values.yaml',
      ),
    );
  return withOptions(command, filesOption(), namespaceOption()).action(run);
}

function run(options: { filename: string[]; namespace: string; chartValues: boolean }): void {
  if (options.chartValues) printValues(options.filename);
  else printObjects(options.filename, options.namespace);
}

function printObjects(paths: readonly string[], namespace: string): void {
  const { snapshot, problems } = manifestsFrom(paths, namespace);
  const objects = ORDER.flatMap((kind): readonly ApiObject[] => snapshot.objects[kind]);
  for (const object of objects) {
    process.stdout.write(`---\n${dump(writeManifest(object), { noRefs: true, lineWidth: -1 })}`);
  }
  const said = problems.filter(concernsUs);
  process.stderr.write(problemLines(said));
  process.exitCode = hasErrors(said) ? EXIT.problems : EXIT.fine;
}

/** That a form is old is why this command is used. */
function concernsUs({ reason, resource }: Problem): boolean {
  if (reason === 'Deprecated') return false;
  return resource === undefined || resource.kind === 'ConfigMap' || !isOfCluster(resource.kind);
}

function isOfCluster(kind: string): boolean {
  return !isMetallbKind(kind as ApiKind) && kind !== 'AddressPool';
}

function printValues(paths: readonly string[]): void {
  const { values, notes } = operatorValuesOf(paths);
  process.stdout.write(dump(values, { noRefs: true, lineWidth: -1 }));
  for (const note of notes) process.stderr.write(`${severityWord('warning')}: ${note}\n`);
}
