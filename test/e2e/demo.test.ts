import { execa } from 'execa';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { clusterDown, describeWithCluster } from '../cluster/index.ts';
import { remainsOf } from '../cluster/remains.ts';
import { clusterNames, findComponent } from '../cluster/state.ts';
import { testClusterName } from '../cluster/test-cluster.ts';
import { atEnd, eventually } from '../support/index.ts';

const DEMO = fileURLToPath(new URL('demo.ts', import.meta.url));

/** Starts the demo; should it leave its cluster, that goes with the test file. */
function startDemo(name: string) {
  atEnd(async () => {
    if ((await clusterNames()).includes(name)) await clusterDown(name);
  });
  return execa(process.execPath, [DEMO, '--name', name, '--nodes', '2'], { reject: false });
}

describeWithCluster('npm run demo:cluster', () => {
  test('installs the product, shows address, route and requests, and leaves nothing', async () => {
    const name = testClusterName();
    const { stdout, stderr, exitCode } = await startDemo(name);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const steps = [
      /^1\. Building the images/m,
      /^2\. Starting a control plane, 2 nodes/m,
      /\$ helm install metallb-frr charts\/metallb-frr .* --wait .*\n.*\$ kubectl get pods .*\n +NAME +READY/,
      /metallb-frr-speaker-\w+ +2\/2 +Running +0 +\S+ +198\.51\.100\.11 +n1/,
      /\$ kubectl apply -f examples\/cluster\n(?: +\S+ created\n)+/,
      /web +LoadBalancer +\S+ +192\.0\.2\.1 +80:/,
      /B>\* 192\.0\.2\.1\/32 .*via 198\.51\.100\.11, eth0.*\n +\* +via 198\.51\.100\.12, eth0/,
      /answered by +came in by n1 +came in by n2\n(?: +web-\w+ on n[12] +\d+ +\d+\n){2}/,
      /Removing the cluster\n.*No namespace, process or file of it is left/,
    ];
    let rest = stdout;
    for (const step of steps) {
      expect(rest).toMatch(step);
      rest = rest.slice(rest.search(step));
    }
    expect(await remainsOf(name, [])).toEqual([]);
  });

  test('Ctrl-C leaves nothing', async () => {
    const name = testClusterName();
    const demo = startDemo(name);
    await eventually(
      async () => {
        expect(await findComponent(name, 'n1')).toBeDefined();
      },
      { timeoutMs: 120_000, intervalMs: 20 },
    );
    demo.kill('SIGINT');
    expect((await demo).exitCode).toBe(130);
    expect(await remainsOf(name, [])).toEqual([]);
  });
});
