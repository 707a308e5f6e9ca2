import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findTools, HELM_VERSION, KUBERNETES_VERSION } from '../../scripts/lib/kubernetes.mjs';
import { tempDir } from '../support/index.ts';

const [FITTING = '', MINOR = ''] = /^v1\.(\d+)\./.exec(KUBERNETES_VERSION) ?? [];
const OTHER = `v1.${String(Number(MINOR) - 1)}.9`;

describe('the programs of Kubernetes', () => {
  let folder: string;

  // Nothing of this machine is found.
  beforeEach(async () => {
    folder = await tempDir();
    for (const name of ['assets', 'path']) await mkdir(join(folder, name));
    vi.stubEnv('KUBEBUILDER_ASSETS', join(folder, 'assets'));
    vi.stubEnv('METALLB_FRR_TOOLS', join(folder, 'tools'));
    vi.stubEnv('PATH', join(folder, 'path'));
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** A program that says this when it is asked for its version. */
  async function put(place: 'assets' | 'path', name: string, says: string): Promise<string> {
    const path = join(folder, place, name);
    await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
    await chmod(path, 0o755);
    return path;
  }

  test.each([
    ['kube-apiserver', `Kubernetes ${FITTING}0`],
    ['kube-apiserver', `Kubernetes ${FITTING}7+other`],
    ['kubelet', `Kubernetes ${FITTING}0`],
    ['kubectl', `Client Version: ${FITTING}3`],
    ['helm', `${HELM_VERSION}+gabcdef0`],
  ] as const)('%s that says "%s" is taken from KUBEBUILDER_ASSETS', async (name, says) => {
    const path = await put('assets', name, says);
    expect(await findTools([name])).toEqual(new Map([[name, path]]));
  });

  test.each([
    ['kube-apiserver', `Kubernetes ${OTHER}`],
    ['kubectl', `Client Version: ${OTHER}`],
    ['kubectl', 'no version at all'],
    ['helm', 'v2.17.0+gabcdef0'],
  ] as const)('%s that says "%s" is not', async (name, says) => {
    await put('assets', name, says);
    expect(await findTools([name])).toEqual(new Map());
  });

  test('what is of another version there does not hide one on PATH that fits', async () => {
    await put('assets', 'kubectl', `Client Version: ${OTHER}`);
    const path = await put('path', 'kubectl', `Client Version: ${FITTING}1`);
    expect(await findTools(['kubectl'])).toEqual(new Map([['kubectl', path]]));
  });

  test('what fits there goes before PATH', async () => {
    const path = await put('assets', 'kubectl', `Client Version: ${FITTING}1`);
    await put('path', 'kubectl', `Client Version: ${FITTING}2`);
    expect(await findTools(['kubectl'])).toEqual(new Map([['kubectl', path]]));
  });
});
