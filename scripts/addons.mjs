// Compiles the addons for the Node that runs this; `npm ci` calls it when all packages are there. --sanitize compiles a
// second copy of our own that finds errors of memory.
import { buildAddons } from './lib/addons.mjs';
import { headerPrefixes } from './lib/node.mjs';
import { SetupError, handleInterrupts } from './lib/process.mjs';

handleInterrupts();
const sanitize = process.argv.includes('--sanitize');
try {
  const nodeVersion = process.versions.node;
  await buildAddons({ nodeVersion, prefixes: await headerPrefixes(), sanitize });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.message}\nNext: ${error.next}\n`);
  process.exitCode = 1;
}
