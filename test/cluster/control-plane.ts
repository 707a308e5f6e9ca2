import type { Credentials } from './credentials.ts';

/** Addresses of Services, both families: the first range gives the API server's own Service its address. */
export const SERVICE_RANGES = ['10.96.0.0/16', 'fd00:10:96::/112'] as const;

/** A name that every API server's certificate has. */
export const SERVER_NAME = 'kubernetes.default.svc';
const ISSUER = `https://${SERVER_NAME}`;

/** Arguments of etcd for one member that may lose its data when the machine dies, and is quicker for it. */
export function etcdArgs(options: { readonly dataDir: string; readonly port: number }): string[] {
  const url = `http://127.0.0.1:${options.port}`;
  return [
    `--data-dir=${options.dataDir}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    // There are no peers: any free port will do.
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    '--logger=zap',
    '--log-level=warn',
  ];
}

export interface ApiServerArgs {
  readonly credentials: Pick<Credentials, 'tokensFile' | 'signingKeyFile' | 'publicKeyFile'>;
  /** The server makes its certificate there: `apiserver.crt` holds its CA too. */
  readonly certDir: string;
  readonly etcdPort: number;
  readonly port: number;
  readonly bindAddress: string;
  /** Address that pods and nodes reach the server at; none where there are no nodes. */
  readonly advertiseAddress?: string;
}

/** Arguments of kube-apiserver, with RBAC. */
export function apiServerArgs(options: ApiServerArgs): string[] {
  const { credentials, advertiseAddress } = options;
  return [
    `--etcd-servers=http://127.0.0.1:${options.etcdPort}`,
    `--cert-dir=${options.certDir}`,
    `--secure-port=${options.port}`,
    `--bind-address=${options.bindAddress}`,
    `--service-account-issuer=${ISSUER}`,
    `--service-account-signing-key-file=${credentials.signingKeyFile}`,
    `--service-account-key-file=${credentials.publicKeyFile}`,
    `--token-auth-file=${credentials.tokensFile}`,
    `--service-cluster-ip-range=${SERVICE_RANGES.join(',')}`,
    '--allow-privileged',
    ...(advertiseAddress === undefined ? withoutNodes() : withNodes(advertiseAddress)),
  ];
}

function withNodes(advertiseAddress: string): string[] {
  return [
    `--advertise-address=${advertiseAddress}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--kubelet-preferred-address-types=InternalIP',
    // Webhooks are dialled at their pods: no kube-proxy runs beside the API server.
    '--enable-aggregator-routing',
  ];
}

/** A server alone. No controller makes the ServiceAccounts that pods want, so that pods may do without. */
function withoutNodes(): string[] {
  return [
    '--advertise-address=127.0.0.1',
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
    // Loopback is no address that an EndpointSlice may hold.
    '--endpoint-reconciler-type=none',
  ];
}

/** Arguments of kube-controller-manager. It gives Services no addresses: that is what the product does. */
export function controllerManagerArgs(options: {
  readonly kubeconfig: string;
  readonly rootCaFile: string;
  readonly signingKeyFile: string;
}): string[] {
  return [
    `--kubeconfig=${options.kubeconfig}`,
    `--root-ca-file=${options.rootCaFile}`,
    `--service-account-private-key-file=${options.signingKeyFile}`,
    `--service-cluster-ip-range=${SERVICE_RANGES.join(',')}`,
    '--controllers=*,-service-lb-controller',
    '--leader-elect=false',
    // Its own limit of 20 requests a second makes its start slow.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}

export function schedulerArgs(options: { readonly kubeconfig: string }): string[] {
  return [`--kubeconfig=${options.kubeconfig}`, '--leader-elect=false'];
}
