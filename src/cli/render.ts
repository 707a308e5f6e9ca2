import { Command } from 'commander';
import { compileFrrConf } from '../frr-render/index.ts';
import { nodeNamesOf, renderNode } from '../pipeline/index.ts';
import { filesOption, loadBalancerClassOption, namespaceOption, withOptions } from './common-options.ts';
import { EXIT, examples, hasErrors, problemLines } from './output.ts';
import { manifestsFrom } from './manifests.ts';
import { readTemplate } from './template.ts';

export function renderCommand(): Command {
  const command = new Command('render')
    .summary("print a node's frr.conf")
    .description(
      'Prints the frr.conf that a node would have with these manifests. Services without an address in their status get ' +
        'one from the pools, as a controller would give it; a Service without any EndpointSlice counts as running on ' +
        'every node. The output holds BGP passwords in clear text.',
    )
    .requiredOption('--node <name>', 'name of the node')
    .option('--hostname <name>', "the node's host name (default: its name)")
    .addHelpText(
      'after',
      examples(
        'metallb-frr render -f examples/custom-resources --node n1',
        'kubectl get -A -o yaml services,nodes,endpointslices | metallb-frr render -f metallb.yaml -f - --node n1',
      ),
    );
  return withOptions(command, filesOption(), namespaceOption(), loadBalancerClassOption()).action(run);
}

function run(options: {
  filename: string[];
  node: string;
  hostname?: string;
  namespace: string;
  lbClass: string;
}): void {
  const read = manifestsFrom(options.filename, options.namespace);
  const nodes = nodeNamesOf(read.snapshot);
  if (nodes.length > 0 && !nodes.includes(options.node)) {
    process.stderr.write(
      `error: node ${options.node}: there is no such Node; there are ${nodes.join(', ')}\n`,
    );
    process.exitCode = EXIT.problems;
    return;
  }
  const plan = renderNode(read.snapshot, {
    nodeName: options.node,
    template: compileFrrConf(readTemplate()),
    loadBalancerClass: options.lbClass,
    endpoints: 'assumed',
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
  });
  const problems = [...read.problems, ...plan.problems];
  process.stdout.write(plan.frrConf);
  process.stderr.write(problemLines(problems));
  process.exitCode = hasErrors(problems) ? EXIT.problems : EXIT.fine;
}
