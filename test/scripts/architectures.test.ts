import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import lock from '../../scripts/node/package-lock.json' with { type: 'json' };
import pinned from '../../scripts/node/package.json' with { type: 'json' };
import { ROOT } from '../../scripts/lib/paths.mjs';

/** The images are built on machines of either architecture, from what has the same name there. */

describe('the Node of the images', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  // As containers and Node call it.
  test.each([
    { platform: 'amd64', arch: 'x64' },
    { platform: 'arm64', arch: 'arm64' },
  ] as const)('on $platform is a package that is pinned by version and checksum', async ({ arch }) => {
    vi.stubGlobal('process', { ...process, platform: 'linux', arch, versions: process.versions });
    const { pinnedNodeChoice } = await import('../../scripts/lib/node.mjs');
    const { version, prefix } = await pinnedNodeChoice();
    const name = `node-linux-${arch}` as const;
    expect(prefix).toMatch(new RegExp(`/node-${version}/node_modules/${name}$`));
    expect(version).toBe(pinned.optionalDependencies[name]);
    expect(lock.packages[`node_modules/${name}`]).toMatchObject({
      ...{ version, cpu: arch, os: 'linux' },
      integrity: expect.stringMatching(/^sha512-/) as string,
    });
  });

  test('is of one version for all', () => {
    expect(new Set(Object.values(pinned.optionalDependencies)).size).toBe(1);
  });
});

test('no file that an image is built of names an architecture', () => {
  const files = globSync('images/{frr,metallb-frr}/*', { cwd: ROOT });
  expect(files.length).toBeGreaterThan(5);
  const named = files.filter((file) =>
    /\b(amd64|arm64|x86[-_]64|aarch64|x64)\b/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(named).toEqual([]);
});
