/**
 * The command line: reads arguments and files, calls the shells and the pure pipeline, prints results, sets the exit
 * status. It decides nothing about the cluster or FRR.
 */
export { createProgram } from './program.ts';
export { endOnSignals } from './signals.ts';
export { formatTable } from './output.ts';
