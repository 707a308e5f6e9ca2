import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Logger } from '../telemetry/index.ts';

/**
 * Flags and variables of MetalLB's controller and speaker that mean nothing here. They are accepted, so that the command
 * lines of its manifests keep working, hidden from the help, and said once when they are given.
 */
interface Idle {
  readonly flags: readonly IdleFlag[];
  readonly variables: readonly IdleVariable[];
}

interface IdleFlag {
  readonly flag: string;
  /** Where the value comes from when the flag is not given. */
  readonly variable?: string;
  readonly why: string;
  /** What MetalLB itself would refuse is refused. */
  readonly check?: (value: string) => string | undefined;
}

/** One without a flag. */
interface IdleVariable {
  readonly variable: string;
  readonly why: string;
  /** The value that asks for what is so anyway. */
  readonly usual?: string;
}

const NO_WEBHOOK = 'there is no webhook';
const NO_MEMBERLIST = 'speakers do not gossip';
const NO_FRR_K8S = 'FRR runs in the speaker pod';

const SHARED: Idle = {
  flags: [{ flag: 'pprof-bind-address', why: 'there is no Go profile' }],
  variables: [
    { variable: 'METALLB_BGP_TYPE', why: 'BGP is always spoken by FRR in the speaker pod', usual: 'frr' },
  ],
};

export const CONTROLLER_IDLE: Idle = {
  flags: [
    ...SHARED.flags,
    { flag: 'ml-secret-name', variable: 'METALLB_ML_SECRET_NAME', why: NO_MEMBERLIST },
    { flag: 'deployment', variable: 'METALLB_DEPLOYMENT', why: NO_MEMBERLIST },
    { flag: 'webhook-mode', why: NO_WEBHOOK, check: webhookModeFault },
    { flag: 'webhook-secret', why: NO_WEBHOOK },
    { flag: 'cert-service-name', why: NO_WEBHOOK },
    { flag: 'cert-dir', why: NO_WEBHOOK },
    { flag: 'disable-cert-rotation', why: NO_WEBHOOK },
    { flag: 'webhook-http2', why: NO_WEBHOOK },
  ],
  variables: SHARED.variables,
};

export const SPEAKER_IDLE: Idle = {
  flags: [
    ...SHARED.flags,
    { flag: 'host', variable: 'METALLB_HOST', why: 'MetalLB itself ignores it' },
    { flag: 'ml-bindaddr', variable: 'METALLB_ML_BIND_ADDR', why: NO_MEMBERLIST },
    { flag: 'ml-bindport', variable: 'METALLB_ML_BIND_PORT', why: NO_MEMBERLIST },
    { flag: 'ml-labels', variable: 'METALLB_ML_LABELS', why: NO_MEMBERLIST },
    { flag: 'ml-secret-key-path', variable: 'METALLB_ML_SECRET_KEY_PATH', why: NO_MEMBERLIST },
    { flag: 'ml-wan-config', why: NO_MEMBERLIST },
    {
      ...{ flag: 'bgp-debounce-timeout', variable: 'METALLB_BGP_DEBOUNCE_TIMEOUT' },
      ...{ why: 'changes are applied at once', check: positiveFault },
    },
    { flag: 'frrk8s-namespace', variable: 'FRRK8S_NAMESPACE', why: NO_FRR_K8S },
    { flag: 'frrk8s-secret-passthrough', why: NO_FRR_K8S },
  ],
  variables: [
    ...SHARED.variables,
    { variable: 'FRR_CONFIG_FILE', why: 'the file is that of --frr-config' },
    { variable: 'FRR_RELOADER_PID_FILE', why: 'nothing reloads FRR: what differs is typed into it' },
  ],
};

/** Adds the flags to a command. The value may be left out, as Go's flags have it for booleans. */
export function acceptIdleFlags(command: Command, { flags }: Idle): void {
  for (const { flag, variable, why, check } of flags) {
    const option = new Option(`--${flag} [value]`, why).hideHelp();
    if (variable !== undefined) option.env(variable);
    command.addOption(
      option.argParser((value) => {
        const fault = value === '' ? undefined : check?.(value);
        if (fault !== undefined) throw new InvalidArgumentError(fault);
        return value;
      }),
    );
  }
}

/** Says which of the flags and variables were given to no effect; an empty variable is as good as none. */
export function sayIdle(command: Command, { flags, variables }: Idle, logger: Logger): void {
  const sayVariable = (variable: string, why: string): void => {
    logger.info({ variable, value: process.env[variable], why }, 'variable of MetalLB without effect');
  };
  for (const { flag, variable, why } of flags) {
    const option = command.options.find(({ long }) => long === `--${flag}`);
    const source = option && command.getOptionValueSource(option.attributeName());
    if (source === 'cli') logger.info({ flag: `--${flag}`, why }, 'flag of MetalLB without effect');
    else if (variable !== undefined && isSet(variable)) sayVariable(variable, why);
  }
  for (const { variable, why, usual } of variables) {
    if (isSet(variable) && process.env[variable] !== usual) sayVariable(variable, why);
  }
}

function isSet(variable: string): boolean {
  return (process.env[variable] ?? '') !== '';
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
