import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import type { ApiClient, Json } from './api-client.ts';
import { waitUntil } from './component.ts';

/** Where the chart keeps them. */
export const CRD_FOLDER = fileURLToPath(new URL('../../charts/metallb-frr/crds', import.meta.url));

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const ESTABLISHED_TIMEOUT_MS = 20_000;

/** The objects of all `*.yaml` files of a folder, by file name; none when there is no such folder. */
export async function readManifests(folder: string): Promise<Json[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts
    .flatMap((text) => loadAll(text))
    .filter((object) => object !== null && object !== undefined) as Json[];
}

/** Creates or updates CustomResourceDefinitions and waits until their objects can be created. */
export async function applyCrds(
  client: ApiClient,
  crds: readonly Json[],
  signal?: AbortSignal,
): Promise<void> {
  await Promise.all(
    crds.map(async (crd) => {
      const path = `${PATH}/${nameOf(crd)}`;
      // Server-side apply: right the first time and every later time.
      await client.request(
        'PATCH',
        `${path}?fieldManager=tests&force=true`,
        crd,
        'application/apply-patch+yaml',
      );
      const what = `the CustomResourceDefinition ${nameOf(crd)} to be established`;
      await waitUntil({ what, timeoutMs: ESTABLISHED_TIMEOUT_MS, signal, components: [] }, async () =>
        isEstablished(await client.request('GET', path)) ? true : undefined,
      );
    }),
  );
}

function nameOf(object: Json): string {
  return String((object.metadata as Json | undefined)?.name);
}

function isEstablished(crd: Json): boolean {
  const { conditions = [] } = (crd.status ?? {}) as { conditions?: readonly Json[] };
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
}
