// `npm run crds`: writes the chart's CustomResourceDefinitions from the schemas that manifests are parsed with.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dump } from 'js-yaml';
import { CRD_KINDS, crdOf } from '../src/api/crd/index.ts';
import { CHART } from './lib/helm.mjs';

const HELP = `Usage: npm run crds [-- --check]

Writes charts/metallb-frr/crds from src/api: the fields, types, ranges and descriptions that the parser has, with the rules that
stand beside them for the API server.

Options:
  --check  writes nothing, and names the files that are not up to date
  --help   this text

Examples:
  npm run crds
  npm run crds -- --check

Exit status: 0 written, or up to date; 1 not up to date; 2 wrong usage.
`;

const HEADER = `# Made from src/api by \`npm run crds\`: change the schema there.\n`;

/**
 * The text of one file of the chart.
 * @param {import('../src/api/crd/index.ts').CrdKind} kind
 */
function crdText(kind) {
  const lines = kind.comment === undefined ? [] : ['', ...kind.comment.split('\n')];
  const comment = lines.map((line) => `# ${line}`.trimEnd() + '\n').join('');
  return HEADER + comment + dump(crdOf(kind), { lineWidth: 110, noRefs: true });
}

/**
 * @param {{ isCheck: boolean }} options
 * @returns {Promise<string[]>} the files that were not up to date
 */
async function bringUpToDate({ isCheck }) {
  const old = [];
  for (const kind of CRD_KINDS) {
    const file = join(CHART, 'crds', `${kind.plural}.yaml`);
    const text = crdText(kind);
    const present = existsSync(file) ? await readFile(file, 'utf8') : '';
    if (present === text) continue;
    old.push(file);
    if (!isCheck) await writeFile(file, text);
  }
  return old;
}

/** @returns {{ isCheck: boolean } | 'help' | { wrong: string }} */
function optionsOf() {
  try {
    const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } });
    return values.help === true ? 'help' : { isCheck: values.check === true };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

const options = optionsOf();
if (options === 'help') process.stdout.write(HELP);
else if ('wrong' in options) {
  process.stderr.write(`${options.wrong}\n\n${HELP}`);
  process.exitCode = 2;
} else {
  const old = await bringUpToDate(options);
  if (options.isCheck && old.length > 0) {
    process.stderr.write(`Not up to date:\n${old.map((file) => `  ${file}\n`).join('')}Next: npm run crds\n`);
    process.exitCode = 1;
  } else {
    const what = options.isCheck
      ? 'up to date'
      : `${String(old.length)} of ${String(CRD_KINDS.length)} files written`;
    process.stdout.write(`${what}\n`);
  }
}
