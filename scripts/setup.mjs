// `npm run setup`: installs whatever a command of this project needs. With --daemons, --chroots or --images just that.
import { NEEDS, installMissing, setUp } from './lib/setup.mjs';
import { SetupError, handleInterrupts, say } from './lib/process.mjs';

handleInterrupts();
const flags = process.argv.slice(2);
const chosen = NEEDS.filter((need) => flags.includes(`--${need}`));
const all = chosen.length === 0 && !flags.includes('--locked');
/** @param {keyof import('./lib/setup.mjs').Needs} need */
const isNeeded = (need) => all || chosen.includes(need);
const needs = { daemons: isNeeded('daemons'), chroots: isNeeded('chroots'), images: isNeeded('images') };
try {
  if (flags.includes('--locked')) {
    await installMissing(needs);
  } else {
    await setUp(needs);
    say('Everything is set up.');
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\nSet-up stopped: ${error.message}\nNext: ${error.next}\n`);
  process.exitCode = 1;
}
