import { spawnSync } from 'node:child_process';
import { loadAll } from 'js-yaml';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findTools } from '../../scripts/lib/kubernetes.mjs';
import { startApiServer } from '../cluster/api-server.ts';
import { apiServerPrograms } from '../cluster/programs.ts';
import { atEnd } from '../support/index.ts';
import { CHART } from './chart.ts';
import { findHelm } from './helm.ts';

/** `npm run -s manifests`, as a user without helm installs the product. */

const PROGRAM = fileURLToPath(new URL('../../scripts/manifests.mjs', import.meta.url));
const programs = await apiServerPrograms();
const helm = await findHelm();
const kubectl = (await findTools(['kubectl'])).get('kubectl');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object };
}

function manifests(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8', maxBuffer: 64 << 20 });
}

describe('plain manifests', () => {
  if (helm === undefined || kubectl === undefined || !programs.ok) {
    test.skip('skipped: no helm, kubectl or API server; run `npm run cluster -- tools`', () => undefined);
    return;
  }

  test('are the namespace, every CRD and all that the chart makes, in that order', () => {
    const { status, stdout } = manifests('--namespace', 'lb', '--set', 'controller.replicas=3');
    expect(status).toBe(0);
    const all = loadAll(stdout) as Manifest[];
    const crds = readdirSync(join(CHART, 'crds')).length;
    expect(all[0]).toMatchObject({
      kind: 'Namespace',
      metadata: { name: 'lb', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
    expect(all.slice(1, 1 + crds).map(({ kind }) => kind)).toEqual(
      Array.from({ length: crds }, () => 'CustomResourceDefinition'),
    );
    const made = all.slice(1 + crds);
    expect(made.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['DaemonSet', 'Deployment', 'Role']));
    expect(made.find(({ kind }) => kind === 'Deployment')).toMatchObject({
      metadata: { namespace: 'lb' },
      spec: { replicas: 3 },
    });
  });

  test('are taken by an API server as they are', { timeout: 120_000 }, async () => {
    const api = await startApiServer({ crds: [] });
    atEnd(() => api.stop());
    const apply = ['--kubeconfig', api.kubeconfigPath, 'apply', '--server-side', '-f', '-'];
    const policies = ['networkpolicies.enabled=true', 'networkpolicies.defaultDeny=true'];
    const input = manifests(...policies.flatMap((each) => ['--set', each])).stdout;
    const run = spawnSync(kubectl, apply, { input, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain('daemonset.apps/metallb-frr-speaker serverside-applied');
    expect(run.stdout).toContain('networkpolicy.networking.k8s.io/metallb-frr-controller serverside-applied');
  });

  test.each<readonly [string, readonly string[], number, RegExp]>([
    ['a value that there is not', ['--set', 'nope=1'], 1, /'nope' not allowed\nNext: /],
    ['a file that is not there', ['--values', '/nowhere.yaml'], 1, /\/nowhere\.yaml[^]*\nNext: /],
    ['a name that is none', ['--namespace', 'A_'], 2, /^--namespace "A_": must be a DNS label/],
    ['an option that there is not', ['--nope'], 2, /--nope[^]*Usage: npm run -s manifests/],
  ])('%s is said, and nothing is printed', (_, args, status, said) => {
    const run = manifests(...args);
    expect([run.status, run.stdout]).toEqual([status, '']);
    expect(run.stderr).toMatch(said);
  });

  test('--help tells of every option', () => {
    const { status, stdout } = manifests('--help');
    expect(status).toBe(0);
    for (const option of ['--namespace', '--values', '--set']) expect(stdout).toContain(option);
  });
});
