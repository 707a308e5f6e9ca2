/**
 * Real FRR of any installed release, each instance with its own sockets, configuration folder and network namespace.
 * It starts, watches and ends daemons; it never writes to /etc/frr or /run/frr of the machine and knows nothing of what
 * the configuration says.
 */
export { frrInstalls, inInstall } from './installs.ts';
export type { FrrInstall } from './installs.ts';
export { frrInstance, startFrr } from './instance.ts';
export type { Frr, FrrDaemon, FrrOptions } from './instance.ts';
export { endProcesses } from './process.ts';
