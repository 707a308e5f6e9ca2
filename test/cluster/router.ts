import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { frrInstalls, startFrr, type FrrOptions } from '../../src/lab/index.ts';
import { COMPONENT_ENV, startComponent, waitUntil } from './component.ts';
import { ClusterError } from './error.ts';
import type { ClusterPlan } from './plan.ts';
import { findOnPath } from './programs.ts';
import { renderBirdConf, renderFrrConf, type RouterKind } from './router-config.ts';
import { clusterFolder, logFile, recordComponent } from './state.ts';

const START_TIMEOUT_MS = 20_000;

/** The command line in front of a router's own command, for use on the machine: `vtysh -c` or `birdc`. */
export type RouterCommand = readonly string[];

interface RouterStart {
  readonly plan: ClusterPlan;
  readonly kind: RouterKind;
  /** Of its daemon; undefined: one that takes sessions from everybody. */
  readonly configText: string | undefined;
  readonly signal: AbortSignal;
}

/** Starts the router's daemons in its namespace. */
export async function startRouter({ plan, kind, configText, signal }: RouterStart): Promise<RouterCommand> {
  const { router } = plan;
  return kind === 'frr'
    ? startFrrRouter(plan, configText ?? renderFrrConf(router))
    : startBirdRouter(plan, configText ?? renderBirdConf(router), signal);
}

async function startFrrRouter({ name, router }: ClusterPlan, configText: string): Promise<RouterCommand> {
  const installs = await frrInstalls();
  // The machine's own where there is one: another release's programs are mounted into place for each daemon.
  const install = installs.find(({ root }) => root === '') ?? installs[0];
  if (!install) {
    throw new ClusterError('ERR_CLUSTER_PROGRAM_MISSING', 'no FRR on this machine: run `npm run setup`');
  }
  const options: FrrOptions = {
    ...{ install, dir: join(clusterFolder(name), router.name), netns: router.netns, bgpPort: 179 },
    ...{ daemons: ['zebra', 'bgpd', 'bfdd'], configText },
  };
  const frr = await startFrr(options);
  for (const [daemon, pid] of await frr.pids()) {
    const log = join(frr.logDir, `${daemon}.log`);
    await recordComponent(name, { name: `${router.name}.${daemon}`, pid, log });
  }
  return frr.vtysh;
}

async function startBirdRouter(
  { name, router }: ClusterPlan,
  configText: string,
  signal: AbortSignal,
): Promise<RouterCommand> {
  const [bird, birdc] = await Promise.all([findOnPath('bird'), findOnPath('birdc')]);
  if (bird === undefined || birdc === undefined) {
    throw new ClusterError('ERR_CLUSTER_PROGRAM_MISSING', 'no BIRD on this machine: run `npm run setup`');
  }
  const folder = join(clusterFolder(name), router.name);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const [config, socket] = [join(folder, 'bird.conf'), join(folder, 'bird.ctl')];
  await writeFile(config, configText);
  const daemon = await startComponent({
    ...{ name: `${router.name}.bird`, log: logFile(name, `${router.name}.bird`), env: COMPONENT_ENV },
    command: ['nsenter', `--net=/run/netns/${router.netns}`, '--', bird, '-f', '-c', config, '-s', socket],
    detached: true,
  });
  await recordComponent(name, daemon);
  const what = 'BIRD to answer';
  await waitUntil({ what, timeoutMs: START_TIMEOUT_MS, signal, components: [daemon] }, async () => {
    const { failed } = await execa(birdc, ['-s', socket, 'show', 'status'], {
      reject: false,
      timeout: 5_000,
    });
    return failed ? undefined : true;
  });
  return [birdc, '-s', socket];
}
