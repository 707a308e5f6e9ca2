// The chart as helm renders it, for whoever does so without a cluster.
import { join } from 'node:path';
import { findTools, KUBERNETES_VERSION } from './kubernetes.mjs';
import { ROOT } from './paths.mjs';

export const CHART = join(ROOT, 'charts/metallb-frr');

/** @returns {Promise<string | undefined>} HELM, or a helm that fits among the tools of the test cluster and on PATH */
export async function findHelm() {
  return process.env.HELM ?? (await findTools(['helm'])).get('helm');
}

/**
 * A helm that was built from source takes itself for one of a very old Kubernetes, so the version is said.
 * @param {string} namespace
 * @param {string} [chart] its folder
 * @returns {readonly string[]}
 */
export function templateArgs(namespace, chart = CHART) {
  return ['template', 'metallb-frr', chart, '--namespace', namespace, '--kube-version', KUBERNETES_VERSION];
}
