// `npm run setup`: installs whatever a command of this project needs. With --daemons and --chroots just that.
import { flagsFor, installMissing, setUp } from './lib/setup.mjs';
import { SetupError, handleInterrupts, say } from './lib/process.mjs';

handleInterrupts();
const flags = process.argv.slice(2);
const all =
  !flagsFor({ daemons: true, chroots: true }).some((flag) => flags.includes(flag)) &&
  !flags.includes('--locked');
const needs = { daemons: all || flags.includes('--daemons'), chroots: all || flags.includes('--chroots') };
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
