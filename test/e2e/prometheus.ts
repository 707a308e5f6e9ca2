import { execa } from 'execa';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectsOf, template, type Rendered } from '../chart/helm.ts';
import { netnsName } from '../cluster/plan.ts';
import type { TestCluster } from '../cluster/index.ts';
import { atEnd, tempDir } from '../support/index.ts';

/** Debian's Prometheus on a node of the cluster, told what to read by the chart's PodMonitors, as the operator would tell it. */

const HOST = 'n1';
const ADDRESS = '127.0.0.1:9090';

export interface Prometheus {
  readonly targets: () => Promise<readonly Target[]>;
  /** Series of an instant query. */
  readonly query: (expression: string) => Promise<readonly Series[]>;
  readonly rules: () => Promise<readonly RuleState[]>;
  readonly stop: () => Promise<void>;
}

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly state: string;
}

/** The parts of a PodMonitor (monitoring.coreos.com/v1) that the chart uses. */
interface PodMonitor extends Pick<Rendered, 'kind' | 'metadata'> {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly podMetricsEndpoints: readonly {
      readonly port: string;
      readonly path: string;
      readonly scheme?: string;
      readonly bearerTokenFile?: string;
      readonly tlsConfig?: { readonly insecureSkipVerify: boolean };
    }[];
  };
}

export interface PrometheusOptions {
  /** By the job that shows it: every PodMonitor is read once by each, and the token is shown where the PodMonitor says so. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Whether the chart was installed so. */
  readonly plainHTTP: boolean;
}

/** @throws when it does not start; it is ended after the last test of the file at the latest */
export async function startPrometheus(lab: TestCluster, options: PrometheusOptions): Promise<Prometheus> {
  const folder = await tempDir();
  const { plainHTTP } = options;
  const monitoring = { plainHTTP, podMonitor: { enabled: true }, prometheusRule: { enabled: true } };
  const objects = objectsOf(template(lab.cluster.helm, { prometheus: monitoring }));
  const monitors = objects.filter(({ kind }) => kind === 'PodMonitor') as unknown as readonly PodMonitor[];
  const groups = objects.filter(({ kind }) => kind === 'PrometheusRule').flatMap(({ spec }) => spec.groups);
  const jobs: object[] = [];
  for (const [job, token] of Object.entries(options.tokens)) {
    const tokenFile = join(folder, `${job}.token`);
    await writeFile(tokenFile, token, { mode: 0o600 });
    for (const monitor of monitors) {
      jobs.push(scrapeConfig(monitor, { job, tokenFile, targets: await targetsOf(lab, monitor) }));
    }
  }
  const config = {
    global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '2s' },
    rule_files: [join(folder, 'rules.yaml')],
    scrape_configs: jobs,
  };
  // JSON is YAML too.
  await writeFile(join(folder, 'rules.yaml'), JSON.stringify({ groups }));
  await writeFile(join(folder, 'prometheus.yaml'), JSON.stringify(config));
  return run(lab, folder);
}

function run(lab: TestCluster, folder: string): Prometheus {
  const args = [
    `--net=/run/netns/${netnsName(lab.cluster.plan.name, HOST)}`,
    '--',
    'prometheus',
    `--config.file=${join(folder, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${ADDRESS}`,
    '--log.level=warn',
  ];
  const log = { file: join(folder, 'log') };
  const running = execa('nsenter', args, { stdin: 'ignore', stdout: log, stderr: log, reject: false });
  let hasEnded = false;
  void running.then(() => {
    hasEnded = true;
  });
  const stop = async (): Promise<void> => {
    running.kill();
    await running;
  };
  atEnd(stop);
  const ask = async <T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> => {
    const url = `http://${ADDRESS}/api/v1/${path}?${new URLSearchParams(query).toString()}`;
    if (hasEnded) throw new Error(`prometheus ended: ${await readFile(log.file, 'utf8')}`);
    const answer = await lab.inHost(HOST, ['curl', '-sS', '--max-time', '5', url]);
    return (JSON.parse(answer) as { readonly data: T }).data;
  };
  return {
    targets: async () =>
      (await ask<{ activeTargets: readonly Target[] }>('targets', { state: 'active' })).activeTargets,
    query: async (expression) =>
      (await ask<{ result: readonly Series[] }>('query', { query: expression })).result,
    rules: async () =>
      (await ask<{ groups: readonly { readonly rules: readonly RuleState[] }[] }>('rules')).groups.flatMap(
        ({ rules }) => rules,
      ),
    stop,
  };
}

/** The parts of a Pod that say where its metrics are. */
interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status: { readonly podIP?: string };
}

/**
 * The ports that a PodMonitor selects, as Prometheus' own discovery of pods would find them, with the labels that the
 * operator gives them. Debian's Prometheus is built without that discovery.
 */
async function targetsOf(lab: TestCluster, { metadata, spec }: PodMonitor): Promise<readonly object[]> {
  const label = Object.entries(spec.selector.matchLabels).map(([name, value]) => `${name}=${value}`);
  const namespace = metadata.namespace ?? 'default';
  const text = await lab.kubectl(['get', 'pods', '-n', namespace, '-l', label.join(','), '-o', 'json']);
  const { items } = JSON.parse(text) as { readonly items: readonly Pod[] };
  return items
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .flatMap((pod) =>
      pod.spec.containers.flatMap(({ name: container, ports = [] }) =>
        ports
          .filter(({ name }) => name === spec.podMetricsEndpoints[0]?.port)
          .map(({ containerPort }) => ({
            targets: [`${pod.status.podIP ?? ''}:${containerPort}`],
            labels: { namespace: pod.metadata.namespace, pod: pod.metadata.name, container },
          })),
      ),
    );
}

/** What the Prometheus operator makes of a PodMonitor, as far as the chart's go. */
function scrapeConfig(
  { metadata, spec }: PodMonitor,
  options: { readonly job: string; readonly tokenFile: string; readonly targets: readonly object[] },
): object {
  const [endpoint] = spec.podMetricsEndpoints;
  if (endpoint === undefined) throw new Error(`PodMonitor ${metadata.name} has no endpoint`);
  const { path, scheme, bearerTokenFile, tlsConfig } = endpoint;
  const authorization = { credentials_file: options.tokenFile };
  return {
    job_name: `${options.job}/${metadata.name}`,
    metrics_path: path,
    scheme: scheme ?? 'http',
    ...(bearerTokenFile === undefined ? {} : { authorization }),
    ...(tlsConfig === undefined
      ? {}
      : { tls_config: { insecure_skip_verify: tlsConfig.insecureSkipVerify } }),
    static_configs: options.targets,
  };
}
