import { generateKeyPair, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Somebody the API server knows by a bearer token from its start on. */
export interface ApiUser {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Credentials {
  /** Bearer tokens by user name. */
  readonly tokens: ReadonlyMap<string, string>;
  /** File for `--token-auth-file`. */
  readonly tokensFile: string;
  /** Key that ServiceAccount tokens are signed with, and its public half. */
  readonly signingKeyFile: string;
  readonly publicKeyFile: string;
}

/** May do everything: RBAC binds the group to cluster-admin from the start. */
export const ADMIN: ApiUser = { name: 'admin', groups: ['system:masters'] };

/** Makes tokens for users, and the key of ServiceAccount tokens, in a folder. */
export async function makeCredentials(folder: string, users: readonly ApiUser[]): Promise<Credentials> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const tokens = new Map(users.map(({ name }) => [name, randomBytes(24).toString('hex')]));
  const tokensFile = join(folder, 'tokens.csv');
  const signingKeyFile = join(folder, 'service-account.key');
  const publicKeyFile = join(folder, 'service-account.pub');
  // An elliptic key: made in a millisecond, where RSA takes a tenth of a second or more.
  const pair = await promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const mode = 0o600;
  await writeFile(tokensFile, renderTokens(users, tokens), { mode });
  await writeFile(signingKeyFile, pair.privateKey, { mode });
  await writeFile(publicKeyFile, pair.publicKey, { mode });
  return { tokens, tokensFile, signingKeyFile, publicKeyFile };
}

/** Text for `--token-auth-file`: token, user name, user id, and the groups in one quoted field. */
export function renderTokens(users: readonly ApiUser[], tokens: ReadonlyMap<string, string>): string {
  return users
    .map(({ name, groups }) => `${tokens.get(name) ?? ''},${name},${name},"${groups.join(',')}"\n`)
    .join('');
}
