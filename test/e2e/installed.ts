import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/index.ts';
import { startTestCluster, type TestCluster } from '../cluster/index.ts';
import { webManifest } from './web.ts';

/** The product as a user has it: images in the nodes, the chart installed. */

export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const TAG = 'e2e';
export const NAMESPACE = 'metallb-system';
export const IMAGE = `localhost/metallb-frr:${TAG}`;
export const VALUES = [
  `image.repository=localhost/metallb-frr,image.tag=${TAG}`,
  `frr.image.repository=localhost/metallb-frr-frr,frr.image.tag=${TAG}`,
].join(',');

/** Builds both images and starts a cluster whose nodes have them. */
export async function clusterWithImages(
  options: Parameters<typeof startTestCluster>[0] = {},
): Promise<TestCluster> {
  const folder = await tempDir();
  const build = [join(CHECKOUT, 'scripts/images.mjs'), '--make-base', '--tag', TAG, '--output', folder];
  await execa(process.execPath, build, { cwd: CHECKOUT, stdin: 'ignore', timeout: 900_000 });
  const images = ['frr.tar', 'metallb-frr.tar'].map((name) => join(folder, name));
  return startTestCluster({ ...options, images });
}

/** `helm install`, or any other command with the chart and the values of this test. */
export async function helm(lab: TestCluster, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execa(
    lab.cluster.helm,
    [...args, 'metallb-frr', join(CHECKOUT, 'charts/metallb-frr'), '--namespace', NAMESPACE, '--set', VALUES],
    { env: { KUBECONFIG: lab.cluster.kubeconfig }, timeout: 180_000 },
  );
  return stdout;
}

/** What stands in the README's install section, with the names of this test's images. */
export async function install(lab: TestCluster): Promise<void> {
  const words = await commandOfReadme('helm install ');
  await execa(lab.cluster.helm, [...words.slice(1), '--wait', '--timeout', '120s', '--set', VALUES], {
    cwd: CHECKOUT,
    env: { KUBECONFIG: lab.cluster.kubeconfig },
    timeout: 180_000,
  });
}

/** The examples as the README has them applied. */
export async function applyExamples(lab: TestCluster): Promise<void> {
  const [, ...words] = await commandOfReadme('kubectl apply ');
  await lab.kubectl(words.map((word) => (word.startsWith('examples/') ? join(CHECKOUT, word) : word)));
}

async function commandOfReadme(start: string): Promise<readonly string[]> {
  const readme = await readFile(join(CHECKOUT, 'README.md'), 'utf8');
  const line = readme.split('\n').find((each) => each.startsWith(start));
  if (line === undefined) throw new Error(`the README has no command that begins with "${start}"`);
  return line.split(' ');
}

/** A web server that answers with its node's name. */
export const WEB = webManifest(IMAGE);
