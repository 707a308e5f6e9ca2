import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiClient, ApiStatusError, type ApiClient, type Json } from './api-client.ts';
import { COMPONENT_ENV, pauseComponent, startComponent, waitUntil, type Component } from './component.ts';
import { apiServerArgs, etcdArgs, SERVER_NAME } from './control-plane.ts';
import { ADMIN, makeCredentials, type ApiUser, type Credentials } from './credentials.ts';
import { applyCrds, CRD_FOLDER, readManifests } from './crds.ts';
import { ClusterError } from './error.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { quietPort } from './port.ts';
import { apiServerPrograms } from './programs.ts';
import { startRelay } from './relay-start.ts';

export interface ApiServerOptions {
  /** Aborting it ends the start; nothing is left then. */
  readonly signal?: AbortSignal;
  /** Known by a token beside the administrator; RBAC lets them do nothing until a role is bound to them or their groups. */
  readonly users?: readonly ApiUser[];
  /** CustomResourceDefinitions to apply; those of the chart unless given. */
  readonly crds?: readonly Json[];
  /** Where it runs; absent: on the machine's loopback address. */
  readonly place?: ApiServerPlace;
}

/** A network namespace, and the address in it that programs there reach the server at. */
export interface ApiServerPlace {
  readonly netns: string;
  readonly address: string;
}

/**
 * A kube-apiserver with its etcd: the API with RBAC and admission, and no controllers. So nothing
 * is collected after its owner went, a deleted namespace stays Terminating, and the roles `view`, `edit` and `admin`, which a
 * controller fills, are empty.
 */
export interface ApiServer {
  /** `https://ADDRESS:PORT`; the port stays the same for as long as it exists. */
  readonly url: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly caData: string;
  /** Kubeconfig of the administrator, for programs on the machine. */
  readonly kubeconfigPath: string;
  /** Folder of everything it writes, logs included; removed by `stop`. */
  readonly folder: string;
  /** One request as the administrator. */
  readonly request: ApiClient['request'];
  /** Path of a kubeconfig of the administrator or one of `users`, by name, for programs in the server's namespace. */
  kubeConfigFor(user: string): Promise<string>;
  /** Path of a kubeconfig with a bearer token, such as one of {@link tokenFor}. */
  kubeConfigWithToken(token: string): Promise<string>;
  /** A token of a ServiceAccount, as a pod would have it; makes the namespace and the account where they are missing. */
  tokenFor(namespace: string, serviceAccount: string, options?: TokenOptions): Promise<string>;
  /** Ends the API server as a power loss would; etcd keeps its data. Clients get refused connections. */
  kill(): Promise<void>;
  /** Starts the API server again on the same port, with the same data and tokens; ends it first if it runs. */
  restart(): Promise<void>;
  /** Stops the API server where it is, as a hang would: connections stay open and nothing answers. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends everything and removes the folder; harmless twice. */
  stop(): Promise<void>;
}

export interface TokenOptions {
  readonly audiences?: readonly string[];
  /** The API server takes no less than 600. */
  readonly expirationSeconds?: number;
}

const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;
/** Another process may take a port between our look and the server's start. */
const TRIES = 3;

/** Starts an API server. Ends with this process in any case. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const programs = await apiServerPrograms();
  if (!programs.ok) throw new ClusterError('ERR_CLUSTER_PROGRAM_MISSING', programs.reason);
  for (let left = TRIES - 1; ; left -= 1) {
    const folder = await mkdtemp(join(tmpdir(), 'mlf-api-'));
    const server = new LoneApiServer(folder, programs.paths, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      const lostItsPort = error instanceof ClusterError && error.message.includes('address already in use');
      if (!lostItsPort || left === 0) throw error;
    }
  }
}

type Paths = Readonly<Record<'etcd' | 'kube-apiserver', string>>;

class LoneApiServer implements ApiServer {
  readonly folder: string;
  readonly kubeconfigPath: string;
  url = '';
  caData = '';
  readonly #paths: Paths;
  readonly #options: ApiServerOptions;
  #credentials: Credentials | undefined;
  #etcd: Component | undefined;
  #apiServer: Component | undefined;
  #startApiServer: () => Promise<Component> = () => Promise.reject(new Error('not started'));
  #client: ApiClient | undefined;
  #relay: number | undefined;
  #files = 0;

  constructor(folder: string, paths: Paths, options: ApiServerOptions) {
    this.folder = folder;
    this.kubeconfigPath = join(folder, 'admin.conf');
    this.#paths = paths;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { users = [], crds = await readManifests(CRD_FOLDER), signal, place } = this.#options;
    const [etcdPort, port] = await Promise.all([quietPort(), quietPort()]);
    const certDir = join(this.folder, 'pki');
    const credentials = await makeCredentials(certDir, [ADMIN, ...users]);
    this.#credentials = credentials;
    this.url = `https://${place?.address ?? '127.0.0.1'}:${port}`;
    const common = { env: COMPONENT_ENV, detached: false };
    const inside = place ? ['nsenter', `--net=/run/netns/${place.netns}`, '--'] : [];
    const bindAddress = place ? '0.0.0.0' : '127.0.0.1';
    const etcd = etcdArgs({ dataDir: join(this.folder, 'etcd'), port: etcdPort });
    const server = apiServerArgs({ credentials, certDir, etcdPort, port, bindAddress });
    this.#etcd = await startComponent({
      ...common,
      ...{
        name: 'etcd',
        command: [...inside, this.#paths.etcd, ...etcd],
        log: join(this.folder, 'etcd.log'),
      },
    });
    this.#startApiServer = () =>
      startComponent({
        ...common,
        ...{ name: 'kube-apiserver', command: [...inside, this.#paths['kube-apiserver'], ...server] },
        log: join(this.folder, 'kube-apiserver.log'),
      });
    this.#apiServer = await this.#startApiServer();
    this.caData = await this.#wait('the certificate of kube-apiserver', async () => {
      const text = await readFile(join(certDir, 'apiserver.crt'), 'utf8').catch(() => '');
      return text.endsWith('-----END CERTIFICATE-----\n') ? text : undefined;
    });
    const admin = { ...(await this.#wayIn(port)), caData: this.caData, token: this.#tokenOf(ADMIN.name) };
    this.#client = apiClient(admin);
    await writeFile(this.kubeconfigPath, renderKubeconfig(admin), { mode: 0o600 });
    await this.#untilReady();
    await applyCrds(this.#client, crds, signal);
  }

  readonly request: ApiClient['request'] = (...args) => this.#requireClient().request(...args);

  kubeConfigFor(user: string): Promise<string> {
    return this.kubeConfigWithToken(this.#tokenOf(user));
  }

  async kubeConfigWithToken(token: string): Promise<string> {
    this.#files += 1;
    const path = join(this.folder, `user-${this.#files}.conf`);
    await writeFile(path, this.#kubeconfig(token), { mode: 0o600 });
    return path;
  }

  async tokenFor(namespace: string, serviceAccount: string, options: TokenOptions = {}): Promise<string> {
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await this.#ensure('/api/v1/namespaces', { metadata: { name: namespace } });
    await this.#ensure(accounts, { metadata: { name: serviceAccount } });
    const answer = await this.request('POST', `${accounts}/${serviceAccount}/token`, { spec: options });
    return (answer.status as { token: string }).token;
  }

  async kill(): Promise<void> {
    await endNow(this.#apiServer);
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#apiServer = await this.#startApiServer();
    await this.#untilReady();
  }

  async pause(): Promise<void> {
    if (this.#apiServer !== undefined) await pauseComponent(this.#apiServer);
  }

  resume(): void {
    this.#apiServer?.signal('SIGCONT');
  }

  async stop(): Promise<void> {
    this.#client?.close();
    if (this.#relay !== undefined) process.kill(this.#relay, 'SIGTERM');
    await Promise.all([endNow(this.#apiServer), endNow(this.#etcd)]);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** How programs on the machine reach it. */
  async #wayIn(port: number): Promise<{ readonly server: string; readonly tlsServerName?: string }> {
    const { place } = this.#options;
    if (!place) return { server: this.url };
    const relay = await startRelay({
      ...{ netns: place.netns, host: place.address, port },
      log: join(this.folder, 'relay.log'),
    });
    this.#relay = relay.pid;
    return { server: `https://127.0.0.1:${relay.port}`, tlsServerName: SERVER_NAME };
  }

  #tokenOf(user: string): string {
    const token = this.#credentials?.tokens.get(user);
    if (token === undefined) {
      const known = [...(this.#credentials?.tokens.keys() ?? [])].join(', ');
      throw new ClusterError(
        'ERR_CLUSTER_UNKNOWN',
        `no user ${user}: name it in \`users\`; there are ${known}`,
      );
    }
    return token;
  }

  #kubeconfig(token: string): string {
    const name = this.#options.place ? { tlsServerName: SERVER_NAME } : {};
    return renderKubeconfig({ server: this.url, caData: this.caData, token, ...name });
  }

  #requireClient(): ApiClient {
    if (this.#client === undefined) throw new Error('the API server has not been started');
    return this.#client;
  }

  async #ensure(path: string, object: Json): Promise<void> {
    try {
      await this.request('POST', path, object);
    } catch (error) {
      const there = error instanceof ApiStatusError && error.status === 409;
      if (!there) throw error;
    }
  }

  async #untilReady(): Promise<void> {
    await this.#wait('kube-apiserver to be ready', () => this.request('GET', '/readyz'));
  }

  #wait<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
    const components = [this.#etcd, this.#apiServer].filter((component) => component !== undefined);
    const { signal } = this.#options;
    return waitUntil({ what, timeoutMs: START_TIMEOUT_MS, signal, components }, attempt);
  }
}

/** The data are thrown away or kept by etcd: there is nothing to end gently. A stopped process ends too. */
async function endNow(component: Component | undefined): Promise<void> {
  if (component?.isRunning() !== true) return;
  component.signal('SIGKILL');
  await Promise.race([component.ended, sleep(END_TIMEOUT_MS, undefined, { ref: false })]);
  if (!component.isRunning()) return;
  throw new ClusterError('ERR_CLUSTER_TIMEOUT', `${component.name} did not end after SIGKILL`);
}
