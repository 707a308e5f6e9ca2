import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { notADuration, parseDuration } from '../core/duration.ts';
import { ApiError } from '../k8s/index.ts';
import { openCluster } from './cluster.ts';
import { namespaceOption, sourceOption, withOptions } from './common-options.ts';
import { Interrupted, interruptible } from './interruptible.ts';
import { clusterPlace, folderPlace, type Layer2Place } from './layer2-place.ts';
import {
  moveAddresses,
  parseMoveTarget,
  subjectOf,
  type MoveReport,
  type MoveTarget,
} from './move-addresses.ts';
import { EXIT, examples, formatData, outputOption, severityWord, type OutputForm } from './output.ts';
import { UserError } from './user-error.ts';

/** Nothing is said about waiting before this. */
const PROGRESS_MS = 2_000;
const MAX_TIMEOUT_MS = 3_600_000;

export function moveCommand(): Command {
  const command = new Command('move')
    .summary('move the layer 2 addresses of a Service to another node')
    .description(
      'Asks the node that answers ARP and Neighbor Discovery for an address to hand it over to another one, and waits until ' +
        'it has: the old node goes on answering until the new one has announced itself. All addresses of the Service move, ' +
        'and those of Services that share them. Without --source it asks in the cluster of KUBECONFIG.',
    )
    .addArgument(
      new Argument(
        '<target>',
        'address, or NAMESPACE/SERVICE whose addresses are meant',
      ).argParser<MoveTarget>((text) => {
        const target = parseMoveTarget(text);
        if (!target) throw new InvalidArgumentError('must be an IP address or NAMESPACE/SERVICE');
        return target;
      }),
    )
    .addOption(new Option('--to <node>', 'node that should have them').makeOptionMandatory())
    .addOption(
      new Option('--timeout <duration>', 'how long it may take; then the request is taken back')
        .default(10_000, '10s')
        .argParser(parseTimeout),
    )
    .addHelpText(
      'after',
      examples(
        'metallb-frr move 192.0.2.200 --to n2',
        'metallb-frr move default/web --to n2 --timeout 30s',
        'metallb-frr move 2001:db8::200 --to n2 --source dir:examples/custom-resources -o json',
      ),
    );
  return withOptions(command, sourceOption(), namespaceOption(), outputOption()).action(run);
}

interface Options {
  readonly to: string;
  readonly timeout: number;
  readonly source?: string;
  readonly namespace: string;
  readonly output: OutputForm;
}

async function run(target: MoveTarget, options: Options): Promise<void> {
  const { place, close } = await openPlace(options);
  try {
    const report = await interruptible((signal) =>
      moveAddresses({
        ...{ place, target, signal },
        to: options.to,
        timeoutMs: options.timeout,
        onProgress: (text) => process.stderr.write(`${text}\n`),
        progressMs: PROGRESS_MS,
      }),
    );
    print(report, options);
  } catch (error) {
    if (error instanceof Interrupted) process.exitCode = error.exitCode;
    else if (error instanceof ApiError) throw new UserError(error.message, { cause: error });
    else throw error;
  } finally {
    close();
  }
}

async function openPlace({ source, namespace }: Options): Promise<{
  readonly place: Layer2Place;
  readonly close: () => void;
}> {
  if (source !== undefined) return { place: folderPlace(source), close: () => undefined };
  const { client } = await openCluster({ namespace, podName: undefined });
  return {
    place: clusterPlace(client, namespace),
    close: () => {
      client.close();
    },
  };
}

function print(report: MoveReport, { output, timeout }: Options): void {
  const { from, to, result, tookMs = 0, reasons } = report;
  const subject = subjectOf(report);
  if (output !== 'table') process.stdout.write(formatData(report, output));
  else if (result === 'moved') {
    process.stdout.write(`${subject}: ${from} -> ${to} in ${(tookMs / 1_000).toFixed(1)} s\n`);
  } else if (result === 'alreadyThere') process.stdout.write(`${subject}: already on ${to}\n`);
  if (result !== 'notMoved') return;
  process.exitCode = EXIT.problems;
  if (output !== 'table') return;
  const after = `${String(timeout / 1_000)} s`;
  process.stderr.write(
    `${severityWord('error')}: ${subject}: still not on ${to} after ${after}, the request is taken back\n`,
  );
  for (const reason of reasons) process.stderr.write(`  ${reason}\n`);
}

function parseTimeout(text: string): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) throw new InvalidArgumentError(notADuration(text));
  const ms = Number(nanoseconds / 1_000_000n);
  if (ms <= 0 || ms > MAX_TIMEOUT_MS) throw new InvalidArgumentError('must be more than 0 and at most 1h');
  return ms;
}
