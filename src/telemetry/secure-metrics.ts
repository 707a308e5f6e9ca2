import { readFile } from 'node:fs/promises';
import { createServer, type ServerOptions } from 'node:https';
import { join } from 'node:path';
import type { SecureVersion } from 'node:tls';
import type { Registry } from 'prom-client';
import { metricsHandler } from './metrics-handler.ts';
import { listenUntil } from './listen.ts';

/** Whether the bearer of a token may read the metrics. */
export type ScrapeVerdict = 'allowed' | 'unauthenticated' | 'forbidden';
export type ScrapeAuthorizer = (token: string) => Promise<ScrapeVerdict>;

export interface TlsSettings {
  readonly minVersion: SecureVersion;
  /** OpenSSL names, separated by colons; absent: the default. */
  readonly ciphers?: string;
  /** Names of groups, separated by colons; absent: the default. */
  readonly groups?: string;
}

const STATUS = { unauthenticated: 401, forbidden: 403 } as const;
const CERTIFICATE_DAYS = 3_650;

/**
 * Serves a registry over HTTPS to those whom the API server lets read it, until `signal` is aborted. A request without a
 * valid token is 401, one without the right to get `/metrics` 403, and 503 when the API server cannot be asked.
 *
 * @throws when the port is taken or the certificate cannot be read
 */
export async function serveSecureMetrics(options: {
  readonly registry: Registry;
  readonly port: number;
  /** Holds `tls.crt` and `tls.key`; absent: a certificate is made. */
  readonly certificateDir?: string;
  readonly tls: TlsSettings;
  readonly authorize: ScrapeAuthorizer;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { registry, port, certificateDir, tls, authorize, signal } = options;
  const certificate =
    certificateDir === undefined ? await ownCertificate() : await readCertificate(certificateDir);
  const answer = metricsHandler(registry);
  const server = createServer(serverOptions(certificate, tls), (request, response) => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('a bearer token is needed\n');
      return;
    }
    authorize(token).then(
      (verdict) => {
        if (verdict === 'allowed') answer(request, response);
        else response.writeHead(STATUS[verdict]).end(`${verdict}\n`);
      },
      (error: unknown) => response.writeHead(503).end(`the API server cannot be asked: ${String(error)}\n`),
    );
  });
  await listenUntil(server, { port }, signal);
}

interface Certificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

async function readCertificate(folder: string): Promise<Certificate> {
  const [cert, key] = await Promise.all([
    readFile(join(folder, 'tls.crt')),
    readFile(join(folder, 'tls.key')),
  ]);
  return { cert, key };
}

/** Nobody can check it; it keeps the tokens of those who scrape from being read on the way. */
async function ownCertificate(): Promise<Certificate> {
  const { generate } = await import('selfsigned');
  const notBeforeDate = new Date(Date.now() - 3_600_000);
  const notAfterDate = new Date(notBeforeDate.getTime() + CERTIFICATE_DAYS * 86_400_000);
  const made = await generate([{ name: 'commonName', value: 'metallb-frr' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate,
    notAfterDate,
  });
  return { cert: made.cert, key: made.private };
}

function serverOptions(
  { cert, key }: Certificate,
  { minVersion, ciphers, groups }: TlsSettings,
): ServerOptions {
  return {
    cert,
    key,
    minVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(groups === undefined ? {} : { ecdhCurve: groups }),
  };
}
