import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ApiServer } from '../cluster/api-server.ts';
import type { Json } from '../cluster/api-client.ts';
import { addVeth, type Frr, type FrrInstall } from '../../src/lab/index.ts';
import { atEnd, eventually, startTestFrr, tempDir, testNetns } from '../support/index.ts';

/** Processes of the product beside a real API server, and short words for what stands in it. */

const PROGRAM = fileURLToPath(new URL('../../bin/metallb-frr', import.meta.url));
export const NAMESPACE = 'metallb-system';

const METALLB = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;
export const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
const SERVICES = '/api/v1/namespaces/default/services';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  /** When it came, in milliseconds of our own monotonic clock. */
  readonly cameAt: number;
  readonly [field: string]: unknown;
}

export interface Program {
  readonly pid: number;
  readonly lines: () => readonly LogLine[];
  /** Resolves with the exit code, or the signal that ended it. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | string | null>;
  readonly isRunning: () => boolean;
}

/** Starts `metallb-frr` with these arguments; it is killed at the end of the file. */
export function startProgram(
  kubeconfig: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  const child = spawn(PROGRAM, args, {
    env: { ...process.env, ...env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: LogLine[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      if (line.startsWith('{')) lines.push({ ...(JSON.parse(line) as LogLine), cameAt: performance.now() });
    });
  }
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null> => endOf(child, signal);
  atEnd(async () => {
    await end('SIGKILL');
  });
  return { pid: child.pid ?? 0, lines: () => lines, end, isRunning };
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode ?? child.signalCode;
}

export function startController(kubeconfig: string, ...args: readonly string[]): Program {
  return startProgram(kubeconfig, [...CONTROLLER, ...args]);
}

const CONTROLLER = [
  'controller',
  ...['--namespace', NAMESPACE, '--log-level', 'debug', '--health-probe-port', '0', '--port', '0'],
];

/** A controller with these in its environment. */
export function startControllerWith(kubeconfig: string, env: Readonly<Record<string, string>>): Program {
  return startProgram(kubeconfig, CONTROLLER, env);
}

/** A controller on a host whose clock is wrong. */
export function startControllerWithClock(kubeconfig: string, shiftMs: number): Program {
  return startControllerWith(kubeconfig, {
    NODE_OPTIONS: `--import ${new URL('shifted-clock.ts', import.meta.url).href}`,
    CLOCK_SHIFT_MS: String(shiftMs),
  });
}

/** A speaker for one node, at an FRR. */
export async function startSpeaker(
  kubeconfig: string,
  {
    frr,
    node,
    args = [],
    env = {},
  }: {
    readonly frr: Frr;
    readonly node: string;
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Program> {
  const words = [
    ...['speaker', '--namespace', NAMESPACE, '--node-name', node, '--port', '0', '--log-level', 'debug'],
    ...['--vtysh', await vtyshProgram(frr)],
    ...['--frr-sockets', frr.socketsDir, '--frr-config', frr.configFile],
    ...args,
  ];
  return startProgram(kubeconfig, words, env);
}

/** FRR on a node, 203.0.113.2 in AS 64500, and on a router at 203.0.113.1 in AS 64501 that expects its session. */
export async function nodeAndRouter(install: FrrInstall): Promise<readonly [Frr, Frr]> {
  const [node, router] = [await testNetns(), await testNetns()];
  await addVeth({
    a: { netns: node, interface: 'eth1', addresses: ['203.0.113.2/30'] },
    b: { netns: router, interface: 'eth0', addresses: ['203.0.113.1/30'] },
  });
  const configText = [
    'router bgp 64501',
    ' no bgp ebgp-requires-policy',
    ' neighbor 203.0.113.2 remote-as 64500',
    'exit\n',
  ].join('\n');
  return Promise.all([
    startTestFrr({ install, netns: node }),
    startTestFrr({ install, netns: router, bgpPort: 179, configText }),
  ]);
}

/** One program for the whole command line: FRR 10's vtysh runs inside a root of its own. */
async function vtyshProgram(frr: Frr): Promise<string> {
  const path = join(await tempDir(), 'vtysh');
  const words = frr.vtysh.map((word) => `'${word}'`).join(' ');
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

/** A figure that a test found. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Until the controller leads and has read everything. */
export async function isLeading(program: Program): Promise<void> {
  await eventually(
    () => {
      expect(program.lines().map(({ msg }) => msg)).toContain('controller started');
    },
    { timeoutMs: 20_000 },
  );
}

/** The objects of a test in an API server, made, changed and read as their users do it. */
export class Objects {
  readonly #api: ApiServer;

  constructor(api: ApiServer) {
    this.#api = api;
  }

  async makeNamespace(): Promise<void> {
    await this.#api.request('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  }

  async metallb(kind: string, plural: string, name: string, spec: object): Promise<void> {
    const version = kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1';
    await this.#api.request(
      'PATCH',
      `/apis/metallb.io/${version}/namespaces/${NAMESPACE}/${plural}/${name}?fieldManager=tests&force=true`,
      { apiVersion: `metallb.io/${version}`, kind, metadata: { name }, spec },
      'application/apply-patch+yaml',
    );
  }

  pool(name: string, ...addresses: readonly string[]): Promise<void> {
    return this.metallb('IPAddressPool', 'ipaddresspools', name, { addresses });
  }

  async removePool(name: string): Promise<void> {
    await this.#api.request('DELETE', `${METALLB}/ipaddresspools/${name}`);
  }

  async service(
    name: string,
    more: { annotations?: object; labels?: object; spec?: object } = {},
  ): Promise<void> {
    const { annotations = {}, labels = {}, spec = {} } = more;
    await this.#api.request('POST', SERVICES, {
      metadata: { name, annotations, labels },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
    });
  }

  /** A Service with an endpoint that is ready on node `n1`. */
  async serve(name: string): Promise<void> {
    await this.service(name);
    await this.#api.request('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      ...{ addressType: 'IPv4', ports: [{ port: 80 }] },
      endpoints: [{ addresses: ['10.1.2.3'], nodeName: 'n1', conditions: { ready: true } }],
    });
  }

  async patchService(name: string, patch: object, subresource = ''): Promise<void> {
    const type = 'application/merge-patch+json';
    await this.#api.request('PATCH', `${SERVICES}/${name}${subresource}`, patch, type);
  }

  async deleteService(name: string): Promise<void> {
    await this.#api.request('DELETE', `${SERVICES}/${name}`);
  }

  raw(name: string): Promise<Json> {
    return this.#api.request('GET', `${SERVICES}/${name}`);
  }

  async read(name: string): Promise<ServiceView> {
    return viewOf(await this.raw(name));
  }

  async views(path = SERVICES): Promise<readonly ServiceView[]> {
    return (await this.list(path)).map(viewOf);
  }

  /** The addresses of a Service, as text. */
  async address(name: string): Promise<string> {
    return (await this.read(name)).address;
  }

  /** All addresses in use, by Service. */
  async addresses(): Promise<Readonly<Record<string, string>>> {
    const views = (await this.views()).filter(({ address }) => address !== '');
    return Object.fromEntries(views.map(({ name, address }) => [name, address]));
  }

  async list(path: string): Promise<readonly Json[]> {
    return ((await this.#api.request('GET', path)) as { items: Json[] }).items;
  }

  async becomes(name: string, address: string, timeoutMs = 10_000): Promise<void> {
    await eventually(
      async () => {
        expect(await this.address(name)).toBe(address);
      },
      { timeoutMs },
    );
  }

  get request(): ApiServer['request'] {
    return this.#api.request;
  }
}

export interface ServiceView {
  readonly name: string;
  readonly address: string;
  readonly pool: string | undefined;
  readonly condition: { readonly reason: string; readonly message: string } | undefined;
  readonly resourceVersion: string;
}

function viewOf(raw: Json): ServiceView {
  const { metadata, status } = raw as {
    metadata: { name: string; resourceVersion: string; annotations?: Record<string, string> };
    status?: {
      loadBalancer?: { ingress?: { ip: string }[] };
      conditions?: { type: string; reason: string; message: string }[];
    };
  };
  return {
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    address: (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(),
    pool: metadata.annotations?.['metallb.io/ip-allocated-from-pool'],
    condition: status?.conditions?.find(({ type }) => type === 'metallb.io/AddressAssigned'),
  };
}

/** A clean table for the next test; the API server is started once. */
export async function wipe(api: ApiServer, { withLeases = true } = {}): Promise<void> {
  const names = (await new Objects(api).views()).map(({ name }) => name);
  await inParallel(
    names.filter((name) => name !== 'kubernetes'),
    (name) => api.request('DELETE', `${SERVICES}/${name}`),
  );
  for (const path of [
    `${METALLB}/ipaddresspools`,
    `${METALLB}/configurationstates`,
    ...(withLeases ? [LEASES] : []),
    '/api/v1/namespaces/default/events',
  ]) {
    await api.request('DELETE', path);
  }
}

/** As many at once as an API server has time for. */
export async function inParallel<T>(
  items: readonly T[],
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await action(item);
  };
  await Promise.all(Array.from({ length: 12 }, worker));
}
