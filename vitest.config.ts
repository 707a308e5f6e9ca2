import { defineConfig } from 'vitest/config';

/**
 * Eight projects, chosen with `--project NAME`:
 * - `unit`: no privileges, no network, no daemons; runs anywhere in seconds.
 * - `frr`: loads text into a real FRR of each release that is installed; needs root.
 * - `net`: raw sockets in network namespaces; needs root.
 * - `chart`: the chart rendered by helm, its alerts read by promtool; needs these programs.
 * - `api`: processes of ours beside a real API server; needs its programs.
 * - `cluster`: nodes with kubelet, containerd and kube-proxy in network namespaces; needs root.
 * - `images`: builds the container images and runs them; needs root and podman.
 * - `lab`: hosts as network namespaces with real daemons; needs root.
 *
 * All but `unit` and `chart` run one file at a time: they share the machine's cores, and a daemon that gets no CPU misses its
 * BFD deadlines.
 */
export default defineConfig({
  test: {
    // Timings of earlier runs would be written into node_modules, as root when the tests run as root.
    cache: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'test/architecture/**/*.test.ts',
            'test/{docs,lan,scripts,support}/**/*.test.ts',
            'test/chart/{crds,readme}.test.ts',
            'bench/**/*.test.ts',
          ],
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'frr',
          include: ['test/frr/**/*.test.ts', 'test/golden/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'net',
          include: ['test/{rawsock,links}/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 6 },
        },
      },
      {
        test: {
          name: 'chart',
          include: ['test/chart/{helm,alerts,manifests,metallb-values,values}.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 7 },
        },
      },
      {
        test: {
          name: 'api',
          include: ['test/k8s/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          name: 'images',
          include: ['test/images/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/containerlab/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
