import { measurePure, SHORT } from '../scale/pure.ts';
import { yardstickMs } from '../support/yardstick.ts';
import type { Look } from './ratios.ts';

/** One look of bench:check, in a process of its own: how code is compiled differs from one to the next. */
const before = yardstickMs();
const rows = measurePure(SHORT, () => undefined);
const look: Look = {
  yardstickMs: Math.min(before, yardstickMs()),
  shortestMs: Object.fromEntries(rows.map(({ name, versus }) => [name, versus.shortestMs])),
};
process.stdout.write(`${JSON.stringify(look)}\n`);
