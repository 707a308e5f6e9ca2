/**
 * FRR through vtysh, and nothing else: types configuration, reads it back, runs show commands, listens to the
 * monitor. Every call is bounded. What to type is computed in `frr-config/`; what is wanted, elsewhere.
 */
export {
  FrrApplier,
  type ApplierOptions,
  type ApplyOutcome,
  type ResidualLine,
  type WantedConfig,
} from './applier.ts';
export { VtyError, type VtyErrorCode } from './errors.ts';
export { openMonitor, type Monitor } from './monitor.ts';
export { readRunningConfig, runVtysh, type VtyshCommand } from './vtysh-process.ts';
export { VtyshShell } from './vtysh-shell.ts';
export type { RefusedLine } from './refusal.ts';
export { missingDaemons, NEEDED_DAEMONS, watchDaemons, type DaemonsChange } from './daemons.ts';
