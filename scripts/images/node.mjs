// The Node that goes into the image: the one that scripts/node pins, from npm, whatever Node runs this.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installNode } from '../lib/node.mjs';
import { ROOT, TOOLS } from '../lib/paths.mjs';
import { exists } from '../lib/process.mjs';

/** @returns {Promise<string>} its folder, with bin/node and LICENSE */
export async function pinnedNode() {
  const name = `node-linux-${process.arch}`;
  const text = await readFile(join(ROOT, 'scripts/node/package.json'), 'utf8');
  const version = JSON.parse(text).optionalDependencies[name];
  const prefix = join(TOOLS, `node-${version}`, 'node_modules', name);
  const binFolder = join(prefix, 'bin');
  if (!(await exists(join(binFolder, 'node')))) {
    await installNode({ version, prefix, binFolder, installed: false });
  }
  return prefix;
}
