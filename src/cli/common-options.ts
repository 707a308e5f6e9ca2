import { existsSync } from 'node:fs';
import { podNamespace } from '../k8s/index.ts';
import { InvalidArgumentError, Option, type Command } from 'commander';

export const DEFAULT_NAMESPACE = 'metallb-system';

/** Where metallb.io objects are read from. */
export function namespaceOption(): Option {
  return new Option('--namespace <name>', 'namespace of the metallb.io objects')
    .env('METALLB_NAMESPACE')
    .default(podNamespace() ?? DEFAULT_NAMESPACE);
}

export function filesOption(): Option {
  return new Option(
    '-f, --filename <path...>',
    'file or folder of manifests; - for standard input',
  ).makeOptionMandatory();
}

export function loadBalancerClassOption(): Option {
  return new Option(
    '--lb-class <class>',
    'only Services with this spec.loadBalancerClass; without it, only those without a class',
  ).default('', 'none');
}

export const LOG_LEVELS = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS).default('info');
}

/** Where objects come from; absent: the API server. */
export function sourceOption(): Option {
  return new Option(
    '--source <dir:PATH>',
    'folder or file of manifests to watch instead of a Kubernetes cluster',
  ).argParser((text) => {
    const path = /^dir:(.+)$/.exec(text)?.[1];
    if (path === undefined) throw new InvalidArgumentError('must be dir:PATH');
    if (!existsSync(path)) throw new InvalidArgumentError('there is no such file or folder');
    return path;
  });
}

export function healthPortOption(): Option {
  return new Option(
    '--health-probe-port <port>',
    'port of /healthz, /livez and /readyz; 0: none (default: 17472 in a cluster, none with --source)',
  ).argParser(parsePort);
}

export function podNameOption(): Option {
  return new Option('--pod-name <name>', 'own pod, the owner of what is written').env('METALLB_POD_NAME');
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('must be 0 to 65535');
  return port;
}

/** Adds options in one go. */
export function withOptions(command: Command, ...options: readonly Option[]): Command {
  for (const option of options) command.addOption(option);
  return command;
}
