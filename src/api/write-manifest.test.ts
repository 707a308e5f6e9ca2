import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseManifestText } from '../manifest/index.ts';
import { parseManifest } from './manifest.ts';
import type { ApiObject } from './objects.ts';
import { isMetallbKind, writeManifest } from './write-manifest.ts';

const GOLDEN = fileURLToPath(new URL('../../test/golden/', import.meta.url));
const OPTIONS = { defaultNamespace: 'metallb-system' };

/** All objects of metallb.io of the golden cases, legacy forms included. */
function goldenObjects(): readonly ApiObject[] {
  const folders = readdirSync(GOLDEN, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => {
    const text = readFileSync(join(GOLDEN, name, 'in.yaml'), 'utf8');
    const { documents } = parseManifestText({ text, file: name });
    return documents
      .flatMap(({ value }) => parseManifest(value, OPTIONS).objects)
      .filter(({ kind }) => isMetallbKind(kind));
  });
}

/** What of an object matters when it has been written down and read again. */
function essence({ kind, metadata, spec }: ApiObject): object {
  const { name, namespace, labels, annotations } = metadata;
  return { kind, name, namespace, labels, annotations, spec };
}

describe('a manifest that was written', () => {
  const objects = goldenObjects();

  test('there are objects of every kind', () => {
    expect(new Set(objects.map(({ kind }) => kind)).size).toBe(6);
    expect(objects.length).toBeGreaterThan(200);
  });

  test('reads as the same object', () => {
    for (const object of objects) {
      const { objects: again, problems } = parseManifest(writeManifest(object), OPTIONS);
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(again.map(essence)).toEqual([essence(object)]);
    }
  });

  test('says nothing that is the default anyway', () => {
    const [pool] = parseManifest(
      {
        ...{ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name: 'p' } },
        spec: { addresses: ['192.0.2.0/24'], autoAssign: true, serviceAllocation: { priority: 0 } },
      },
      OPTIONS,
    ).objects;
    expect(writeManifest(pool!)).toEqual({
      ...{ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool' },
      metadata: { name: 'p', namespace: 'metallb-system' },
      spec: { addresses: ['192.0.2.0/24'] },
    });
  });

  test('keeps an empty selector in a list: it selects everything', () => {
    const [advertisement] = parseManifest(
      {
        ...{ apiVersion: 'metallb.io/v1beta1', kind: 'BGPAdvertisement', metadata: { name: 'a' } },
        spec: { nodeSelectors: [{}] },
      },
      OPTIONS,
    ).objects;
    expect(writeManifest(advertisement!)).toMatchObject({ spec: { nodeSelectors: [{}] } });
  });
});
