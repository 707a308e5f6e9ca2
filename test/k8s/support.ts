import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ApiServer } from '../cluster/api-server.ts';
import type { Json } from '../cluster/api-client.ts';
import { atEnd, eventually } from '../support/index.ts';

/** Processes of the product beside a real API server, and short words for what stands in it. */

const PROGRAM = fileURLToPath(new URL('../../bin/metallb-frr', import.meta.url));
export const NAMESPACE = 'metallb-system';

const METALLB = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;
const SERVICES = '/api/v1/namespaces/default/services';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Program {
  readonly lines: () => readonly LogLine[];
  /** Resolves with the exit code, or the signal that ended it. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | string | null>;
  readonly isRunning: () => boolean;
}

/** Starts `metallb-frr` with these arguments; it is killed at the end of the file. */
export function startProgram(kubeconfig: string, args: readonly string[]): Program {
  const child = spawn(PROGRAM, args, {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const end = (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null> => endOf(child, signal);
  atEnd(async () => {
    await end('SIGKILL');
  });
  return {
    lines: () =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map(parseLine),
    end,
    isRunning,
  };
}

function parseLine(line: string): LogLine {
  return JSON.parse(line) as LogLine;
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
  return startProgram(kubeconfig, [
    'controller',
    ...['--namespace', NAMESPACE, '--log-level', 'debug', '--health-probe-port', '0', '--port', '0'],
    ...args,
  ]);
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

  async service(name: string, more: { annotations?: object; spec?: object } = {}): Promise<void> {
    const { annotations = {}, spec = {} } = more;
    await this.#api.request('POST', SERVICES, {
      metadata: { name, annotations },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
    });
  }

  async patchService(name: string, patch: object, subresource = ''): Promise<void> {
    const type = 'application/merge-patch+json';
    await this.#api.request('PATCH', `${SERVICES}/${name}${subresource}`, patch, type);
  }

  async deleteService(name: string): Promise<void> {
    await this.#api.request('DELETE', `${SERVICES}/${name}`);
  }

  read(name: string): Promise<ServiceView> {
    return this.#api.request('GET', `${SERVICES}/${name}`).then(viewOf);
  }

  /** The addresses of a Service, as text. */
  async address(name: string): Promise<string> {
    return (await this.read(name)).address;
  }

  /** All addresses in use, by Service. */
  async addresses(): Promise<Readonly<Record<string, string>>> {
    const { items } = (await this.#api.request('GET', SERVICES)) as { items: Json[] };
    const views = items.map(viewOf).filter(({ address }) => address !== '');
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
