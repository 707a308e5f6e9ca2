import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Registry } from 'prom-client';
import { createScrapeAuthorizer, type ApiClient } from '../k8s/index.ts';
import { serveMetrics, serveSecureMetrics, type TlsSettings } from '../telemetry/index.ts';
import { parsePort } from './common-options.ts';
import { UserError } from './user-error.ts';

/** The port of MetalLB's metrics. */
const SECURE_PORT = 9_120;

/** TLS groups by their number (IANA "TLS Supported Groups"), as Go's crypto/tls takes them, with OpenSSL's names. */
const GROUPS: Readonly<Record<string, string>> = {
  23: 'prime256v1',
  24: 'secp384r1',
  25: 'secp521r1',
  29: 'X25519',
  4588: 'X25519MLKEM768',
};

export interface MetricsOptions {
  readonly metricsPort: number;
  readonly port?: number;
  readonly metricsCertDir?: string;
  readonly tlsMinVersion: string;
  readonly tlsCipherSuites: string;
  readonly tlsCurvePreferences: string;
}

export function addMetricsOptions(command: Command): void {
  const options = [
    new Option(
      '--port <port>',
      `port for metrics over HTTPS, for those whom the API server lets read them; 0: none (default: ${String(SECURE_PORT)} in a cluster, none with --source)`,
    ).argParser(parsePort),
    new Option('--metrics-port <port>', 'port for metrics over plain HTTP; 0: none')
      .argParser(parsePort)
      .default(0),
    new Option(
      '--metrics-cert-dir <folder>',
      'folder of tls.crt and tls.key for --port (default: made at start)',
    ),
    new Option('--tls-min-version <version>', 'oldest TLS for --port')
      .choices(['', 'VersionTLS12', 'VersionTLS13'])
      .default('', 'VersionTLS13'),
    new Option(
      '--tls-cipher-suites <names>',
      'cipher suites for TLS 1.2, by OpenSSL or IANA names, with commas',
    ).default('', 'those of Node'),
    new Option('--tls-curve-preferences <ids>', 'TLS groups by number, with commas')
      .argParser(parseGroups)
      .default('', 'those of Node'),
  ];
  for (const option of options) command.addOption(option);
}

/**
 * Serves a registry on the ports that were asked for.
 * @param client absent: there is no API server that could say who may read them, and so no HTTPS
 * @throws when a port is taken, or settings contradict each other
 */
export async function serveAllMetrics(
  options: MetricsOptions,
  {
    registry,
    client,
    signal,
  }: {
    readonly registry: Registry;
    readonly client: ApiClient | undefined;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const tls = tlsSettings(options);
  if (options.metricsPort !== 0) await serveMetrics({ registry, port: options.metricsPort, signal });
  const port = options.port ?? SECURE_PORT;
  if (!client || port === 0) return;
  const { metricsCertDir } = options;
  await serveSecureMetrics({
    registry,
    port,
    ...(metricsCertDir === undefined || metricsCertDir === '' ? {} : { certificateDir: metricsCertDir }),
    tls,
    authorize: createScrapeAuthorizer(client, signal),
    signal,
  });
}

function tlsSettings({ tlsMinVersion, tlsCipherSuites, tlsCurvePreferences }: MetricsOptions): TlsSettings {
  const minVersion = tlsMinVersion === 'VersionTLS12' ? 'TLSv1.2' : 'TLSv1.3';
  if (tlsCipherSuites !== '' && minVersion === 'TLSv1.3') {
    throw new UserError(
      '--tls-cipher-suites: TLS 1.3 has no choice of them; give --tls-min-version VersionTLS12 too',
    );
  }
  return {
    minVersion,
    ...(tlsCipherSuites === '' ? {} : { ciphers: tlsCipherSuites.split(',').join(':') }),
    ...(tlsCurvePreferences === '' ? {} : { groups: tlsCurvePreferences }),
  };
}

function parseGroups(text: string): string {
  if (text === '') return '';
  const ids = text.split(',');
  if (new Set(ids).size < ids.length) throw new InvalidArgumentError('must not name a group twice');
  return ids
    .map((id) => {
      const name = GROUPS[id];
      if (name === undefined) {
        throw new InvalidArgumentError(`${id}: must be one of ${Object.keys(GROUPS).join(', ')}`);
      }
      return name;
    })
    .join(':');
}
