import { dump } from 'js-yaml';

export interface KubeconfigInput {
  /** `https://HOST:PORT`. */
  readonly server: string;
  /** PEM. */
  readonly caData: string;
  readonly token: string;
  /** Name in the server's certificate, where it is not reached under one of them. */
  readonly tlsServerName?: string;
}

/** A kubeconfig with one cluster, one user and one context, readable wherever the file is moved. */
export function renderKubeconfig({ server, caData, token, tlsServerName }: KubeconfigInput): string {
  const cluster = {
    server,
    'certificate-authority-data': Buffer.from(caData).toString('base64'),
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
  };
  return dump(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'user', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
      'current-context': 'test',
    },
    { lineWidth: -1 },
  );
}
