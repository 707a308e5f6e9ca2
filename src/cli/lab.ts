import { Command, Option } from 'commander';
import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  endpointText,
  frrInstalls,
  inNode,
  labDown,
  LabError,
  labNames,
  labStatus,
  labUp,
  parseTopology,
  readState,
  requireLab,
  requireNode,
  setWire,
  type Endpoint,
  type FrrInstall,
  type LabState,
  type Topology,
} from '../lab/index.ts';
import { decodeManifest } from '../manifest/index.ts';
import { Interrupted, interruptible } from './interruptible.ts';
import { errorLine, statusText } from './lab-text.ts';
import { examples, EXIT, formatData, outputOption, problemLines, type OutputForm } from './output.ts';

/** A call that cannot be right whatever the machine is like; exit status 2. */
class UsageError extends Error {}

/** `metallb-frr lab`: containerlab topologies as network namespaces. */
export function labCommand(): Command {
  const lab = new Command('lab')
    .summary('run containerlab topologies without containers')
    .description(
      'Runs containerlab topologies (*.clab.yml) with network namespaces instead of containers: each node has its own ' +
        'network, files and processes, and nothing it does reaches the machine. Needs root. See test/containerlab/ for topologies.',
    );
  lab
    .command('up')
    .summary('start a topology')
    .argument('<file>', 'containerlab topology')
    .option(
      '--frr <version>',
      'FRR release for nodes and routers, such as 10; the one of this machine when absent',
    )
    .addHelpText('after', examples('metallb-frr lab up test/containerlab/a-listen-range.clab.yml'))
    .action((file: string, options: { frr?: string }) => finish(() => up(file, options.frr)));
  lab
    .command('status')
    .summary('show labs, their processes and BGP sessions')
    .argument('[lab]', 'name or topology file; all labs when absent')
    .addOption(outputOption())
    .addHelpText('after', examples('metallb-frr lab status', 'metallb-frr lab status listen-range -o json'))
    .action((name: string | undefined, options: { output: OutputForm }) =>
      finish(() => status(name, options.output)),
    );
  lab
    .command('down')
    .summary('end a lab and remove all it made')
    .argument('[lab]', 'name or topology file; may be left out when there is one lab')
    .option('-a, --all', 'all labs', false)
    .addHelpText('after', examples('metallb-frr lab down', 'metallb-frr lab down --all'))
    .action((name: string | undefined, options: { all: boolean }) => finish(() => down(name, options.all)));
  lab
    .command('exec')
    .summary('run a command inside a node')
    .argument('<node>', 'name of the node')
    .argument('<command...>', 'command and its arguments, after --')
    .addOption(labOption())
    .addHelpText(
      'after',
      examples("metallb-frr lab exec router -- vtysh -c 'show ip route'", 'metallb-frr lab exec n1 -- bash'),
    )
    .action((node: string, words: string[], options: { lab?: string }) =>
      finish(() => execIn(node, words, options.lab)),
    );
  for (const [name, wire, summary] of [
    ['cut', 'cut', 'stop all frames on a link; both ends keep their carrier'],
    ['mend', 'whole', 'let frames pass a link again'],
  ] as const) {
    lab
      .command(name)
      .summary(summary)
      .description(
        `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}, as when a switch between the two fails.`,
      )
      .argument('<end>', 'one end of the link, NODE:INTERFACE')
      .addOption(labOption())
      .addHelpText('after', examples(`metallb-frr lab ${name} n1:eth1`))
      .action((end: string, options: { lab?: string }) => finish(() => setLink(end, wire, options.lab)));
  }
  return lab;
}

async function up(file: string, version: string | undefined): Promise<number> {
  const parsed = await readTopology(file);
  if (!parsed) return EXIT.problems;
  const frr = version === undefined ? {} : { frr: await frrInstall(version) };
  const state = await interruptible((signal) =>
    labUp({ topology: parsed, file: resolve(file), ...frr, onProgress: say, signal }),
  );
  process.stdout.write(upText(state));
  return EXIT.fine;
}

/** The install of that version, or of the only one that starts with it. */
async function frrInstall(version: string): Promise<FrrInstall> {
  const installs = await frrInstalls();
  const found = installs.find((each) => each.version === version || each.version.startsWith(`${version}.`));
  if (found) return found;
  const known = installs.map((each) => each.version).join(', ') || 'none';
  throw new UsageError(
    `--frr ${version}: not on this machine; it has ${known} (\`npm run setup\` adds others)`,
  );
}

function upText(state: LabState): string {
  const lines = [`Lab ${state.name} is up: ${state.nodes.map((node) => node.name).join(', ')}.`];
  for (const { source, copy } of state.folders) {
    lines.push(
      `The nodes use ${copy}, a copy of ${source}; edit it and watch what changes. \`down\` removes it.`,
    );
  }
  const router = state.nodes.find((node) => node.role === 'router-frr');
  lines.push('Next:', `  metallb-frr lab status ${state.name}`);
  if (router)
    lines.push(`  metallb-frr lab exec --lab ${state.name} ${router.name} -- vtysh -c 'show ip route'`);
  lines.push(`  metallb-frr lab down ${state.name}`);
  return `${lines.join('\n')}\n`;
}

async function status(name: string | undefined, output: OutputForm): Promise<number> {
  requireRoot();
  const names = name === undefined ? await labNames() : [await labName(name)];
  const states = await Promise.all(
    names.map((each) => (name === undefined ? readState(each) : requireLab(each))),
  );
  const found = await Promise.all(states.filter((state) => state !== undefined).map(labStatus));
  if (output !== 'table') process.stdout.write(formatData(found, output));
  else if (found.length === 0) process.stdout.write('No lab is up.\n');
  else process.stdout.write(found.map(statusText).join('\n'));
  return found.every(
    (each) => each.phase === 'running' && each.nodes.every((node) => node.state === 'running'),
  )
    ? EXIT.fine
    : EXIT.problems;
}

async function down(name: string | undefined, all: boolean): Promise<number> {
  if (all && name !== undefined) throw new UsageError('lab down: give a lab or --all, not both');
  requireRoot();
  const names = all ? await labNames() : [await labName(name)];
  for (const each of names) {
    say(`${each}: removing`);
    await labDown(each);
    process.stdout.write(`Lab ${each} is gone.\n`);
  }
  return EXIT.fine;
}

async function execIn(node: string, words: readonly string[], lab: string | undefined): Promise<number> {
  requireRoot();
  const state = await requireLab(await labName(lab));
  const [file = '', ...args] = [...(await inNode(requireNode(state, node))), ...words];
  // Ctrl-C belongs to the command: it is in the same process group and gets the signal itself.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    const { exitCode } = await execa(file, args, { stdio: 'inherit', reject: false });
    return exitCode ?? 1;
  } finally {
    process.off('SIGINT', ignore);
  }
}

async function setLink(text: string, wire: 'cut' | 'whole', lab: string | undefined): Promise<number> {
  const [node = '', name = '', ...rest] = text.split(':');
  if (node === '' || name === '' || rest.length > 0) throw new UsageError(`${text}: must be NODE:INTERFACE`);
  requireRoot();
  const end: Endpoint = { node, interface: name };
  await setWire(await requireLab(await labName(lab)), end, wire);
  process.stdout.write(`The link at ${endpointText(end)} is ${wire}.\n`);
  return EXIT.fine;
}

/** Nothing of a lab can be seen or changed without it; `up` finds out more (labPrivileges). */
function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new LabError('ERR_LAB_PRIVILEGES', 'labs need root: run the same command with sudo');
}

/** Reads a topology; its problems go to standard error. */
async function readTopology(file: string): Promise<Topology | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UsageError(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      {
        cause: error,
      },
    );
  }
  const decoded = decodeManifest(bytes, file);
  const parsed = decoded.ok
    ? parseTopology(decoded.text, file)
    : { ok: false as const, problems: [decoded.problem] };
  if (parsed.ok) return parsed.topology;
  process.stderr.write(problemLines(parsed.problems));
  return undefined;
}

/** The name behind a user's word: a topology file, a name, or nothing when there is one lab. */
async function labName(word: string | undefined): Promise<string> {
  if (word !== undefined) {
    if (!/[/.]/.test(word)) return word;
    const topology = await readTopology(word);
    if (!topology) throw new UsageError(`${word}: not a topology, so it names no lab`);
    return topology.name;
  }
  const names = await labNames();
  const [name, ...others] = names;
  if (name === undefined) throw new LabError('ERR_LAB_UNKNOWN', 'no lab is up');
  if (others.length > 0) throw new UsageError(`several labs are up, name one: ${names.join(', ')}`);
  return name;
}

/** Turns the end of a subcommand into an exit status: 0 fine, 1 it did not work, 2 wrong usage, 130 interrupted. */
async function finish(action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = error.exitCode;
    } else if (error instanceof UsageError || error instanceof LabError) {
      process.stderr.write(errorLine(error.message));
      process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.problems;
    } else {
      throw error;
    }
  }
}

function labOption(): Option {
  return new Option('--lab <lab>', 'name or topology file; may be left out when there is one lab');
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
