import { fieldOf } from '../core/field.ts';
import { createHash } from 'node:crypto';
import type { ScrapeAuthorizer, ScrapeVerdict } from '../telemetry/index.ts';
import type { ApiClient } from './api-client.ts';

/** An answer is good for this long, so that a scrape a second is not two requests a second. */
const KEPT_MS = 60_000;
const MAX_KEPT = 100;

/**
 * Asks the API server who the bearer of a token is (TokenReview) and whether that user may get `/metrics`
 * (SubjectAccessReview), as the authentication filter of controller-runtime does.
 */
export function createScrapeAuthorizer(client: ApiClient, signal: AbortSignal): ScrapeAuthorizer {
  const kept = new Map<string, { readonly verdict: ScrapeVerdict; readonly until: number }>();
  return async (token) => {
    const key = createHash('sha256').update(token).digest('base64');
    const known = kept.get(key);
    if (known && known.until > performance.now()) return known.verdict;
    const verdict = await review(client, token, signal);
    kept.delete(key);
    kept.set(key, { verdict, until: performance.now() + KEPT_MS });
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return verdict;
  };
}

async function review(client: ApiClient, token: string, signal: AbortSignal): Promise<ScrapeVerdict> {
  const identity = await client.request(
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
    },
    signal,
  );
  const status = fieldOf(identity, 'status');
  if (fieldOf(status, 'authenticated') !== true) return 'unauthenticated';
  const user = fieldOf(status, 'user');
  const access = await client.request(
    {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: fieldOf(user, 'username'),
          uid: fieldOf(user, 'uid'),
          groups: fieldOf(user, 'groups'),
          extra: fieldOf(user, 'extra'),
          nonResourceAttributes: { path: '/metrics', verb: 'get' },
        },
      },
    },
    signal,
  );
  return fieldOf(fieldOf(access, 'status'), 'allowed') === true ? 'allowed' : 'forbidden';
}
