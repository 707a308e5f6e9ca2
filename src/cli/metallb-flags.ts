import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Logger } from '../telemetry/index.ts';

/**
 * Flags of MetalLB's controller and speaker that mean nothing here. They are accepted, so that the command lines of its
 * manifests keep working, hidden from the help, and said once when they are given.
 */
interface IdleFlag {
  readonly flag: string;
  readonly why: string;
  /** What MetalLB itself would refuse is refused. */
  readonly check?: (value: string) => string | undefined;
}

const NO_WEBHOOK = 'there is no webhook';
const NO_MEMBERLIST = 'speakers do not gossip';
const NO_FRR_K8S = 'FRR runs in the speaker pod';

const SHARED: readonly IdleFlag[] = [{ flag: 'pprof-bind-address', why: 'there is no Go profile' }];

export const CONTROLLER_IDLE_FLAGS: readonly IdleFlag[] = [
  ...SHARED,
  { flag: 'ml-secret-name', why: NO_MEMBERLIST },
  { flag: 'deployment', why: NO_MEMBERLIST },
  { flag: 'webhook-mode', why: NO_WEBHOOK, check: webhookModeFault },
  { flag: 'webhook-secret', why: NO_WEBHOOK },
  { flag: 'cert-service-name', why: NO_WEBHOOK },
  { flag: 'cert-dir', why: NO_WEBHOOK },
  { flag: 'disable-cert-rotation', why: NO_WEBHOOK },
  { flag: 'webhook-http2', why: NO_WEBHOOK },
];

export const SPEAKER_IDLE_FLAGS: readonly IdleFlag[] = [
  ...SHARED,
  { flag: 'host', why: 'MetalLB itself ignores it' },
  { flag: 'ml-bindaddr', why: NO_MEMBERLIST },
  { flag: 'ml-bindport', why: NO_MEMBERLIST },
  { flag: 'ml-labels', why: NO_MEMBERLIST },
  { flag: 'ml-secret-key-path', why: NO_MEMBERLIST },
  { flag: 'ml-wan-config', why: NO_MEMBERLIST },
  { flag: 'bgp-debounce-timeout', why: 'changes are applied at once', check: positiveFault },
  { flag: 'frrk8s-namespace', why: NO_FRR_K8S },
  { flag: 'frrk8s-secret-passthrough', why: NO_FRR_K8S },
];

/** Adds the flags to a command. The value may be left out, as Go's flags have it for booleans. */
export function acceptIdleFlags(command: Command, flags: readonly IdleFlag[]): void {
  for (const { flag, why, check } of flags) {
    const option = new Option(`--${flag} [value]`, why).hideHelp();
    command.addOption(
      option.argParser((value) => {
        const fault = check?.(value);
        if (fault !== undefined) throw new InvalidArgumentError(fault);
        return value;
      }),
    );
  }
}

/** Says which of the flags were given to no effect. */
export function sayIdleFlags(command: Command, flags: readonly IdleFlag[], logger: Logger): void {
  for (const { flag, why } of flags) {
    const option = command.options.find(({ long }) => long === `--${flag}`);
    if (option && command.getOptionValueSource(option.attributeName()) === 'cli') {
      logger.info({ flag: `--${flag}`, why }, 'flag of MetalLB without effect');
    }
  }
  const type = process.env.METALLB_BGP_TYPE ?? '';
  if (type !== '' && type !== 'frr') {
    const why = 'BGP is always spoken by FRR in the speaker pod';
    logger.info({ variable: 'METALLB_BGP_TYPE', value: type, why }, 'variable of MetalLB without effect');
  }
}

function webhookModeFault(value: string): string | undefined {
  if (value === 'enabled' || value === 'disabled') return undefined;
  return value === 'onlywebhook'
    ? 'must be enabled or disabled: there is no webhook that could run alone'
    : 'must be enabled or disabled';
}

function positiveFault(value: string): string | undefined {
  return /^[1-9]\d*$/.test(value) ? undefined : 'must be a positive number of milliseconds';
}
