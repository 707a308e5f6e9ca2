// `npm run -s manifests`: the chart as plain manifests, for `kubectl apply`. They go to standard output, all else to
// standard error.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHART, findHelm, templateArgs } from './lib/helm.mjs';
import { provideTools } from './lib/kubernetes.mjs';
import { SetupError, handleInterrupts, must } from './lib/process.mjs';

const HELP = `Usage: npm run -s manifests -- [options]

Prints everything that the chart makes as plain manifests: the namespace, the CRDs and what helm would install.

Options:
  --namespace NAME  where controller and speakers run (default: metallb-system)
  --values FILE     values of the chart; may be given several times
  --set NAME=VALUE  one value; may be given several times
  --help            this text

Examples:
  npm run -s manifests | kubectl apply --server-side -f -
  npm run -s manifests -- --set image.repository=registry.example.com/metallb-frr > metallb-frr.yaml

Exit status: 0 printed, 1 not printed, 2 wrong usage.
`;

/**
 * @typedef {object} Options
 * @property {string} namespace
 * @property {readonly string[]} values
 * @property {readonly string[]} sets
 *
 * @param {Options} options
 * @returns {Promise<string>}
 */
async function manifestsOf({ namespace, values, sets }) {
  const given = [...values.flatMap((file) => ['--values', file]), ...sets.flatMap((each) => ['--set', each])];
  const made = await must([await helm(), ...templateArgs(namespace), ...given], {
    timeoutMs: 60_000,
    what: 'the chart could not be rendered',
    next: 'Repair what it names, and run the same command again.',
  });
  const texts = [namespaceOf(namespace), ...(await crds()), made];
  // Helm and the files of the CRDs may begin with the line that ends the one before.
  return texts.map((text) => text.replace(/^---\n/, '').trimEnd()).join('\n---\n');
}

/** @returns {Promise<string>} path of the program: HELM, one that is there, or one that is built now */
async function helm() {
  const found = (await findHelm()) ?? (await provideTools(['helm'])).get('helm');
  if (found === undefined)
    throw new SetupError('there is no helm, and none could be built', 'Name one in HELM.');
  return found;
}

/**
 * Speakers share the host's network, which a namespace with Pod Security admission must allow.
 * @param {string} name
 */
function namespaceOf(name) {
  const levels = ['enforce', 'audit', 'warn'].map(
    (mode) => `    pod-security.kubernetes.io/${mode}: privileged\n`,
  );
  return `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels:\n${levels.join('')}`;
}

async function crds() {
  const folder = join(CHART, 'crds');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

/** @returns {Options | 'help' | { readonly wrong: string }} */
function optionsOf() {
  try {
    const { values } = parseArgs({
      options: {
        namespace: { type: 'string', default: 'metallb-system' },
        values: { type: 'string', multiple: true, default: [] },
        set: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(values.namespace)) {
      return {
        wrong: `--namespace ${JSON.stringify(values.namespace)}: must be a DNS label, such as metallb-system`,
      };
    }
    return { namespace: values.namespace, values: values.values, sets: values.set };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

handleInterrupts();
const options = optionsOf();
if (options === 'help') process.stdout.write(HELP);
else if ('wrong' in options) {
  process.stderr.write(`${options.wrong}\n\n${HELP}`);
  process.exitCode = 2;
} else {
  try {
    process.stdout.write(`${await manifestsOf(options)}\n`);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\nNext: ${error.next}\n`);
    process.exitCode = 1;
  }
}
