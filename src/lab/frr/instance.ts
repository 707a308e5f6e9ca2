import { createHash } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { createNetns, deleteNetns, inNetns, listNetns } from '../netns.ts';
import { labPrivileges } from '../privileges.ts';
import { DAEMON_FOLDER, inInstall } from './installs.ts';
import type { FrrInstall } from './installs.ts';
import { endProcesses, runningPid } from './process.ts';

export type FrrDaemon = 'mgmtd' | 'zebra' | 'bgpd' | 'bfdd' | 'staticd';

export interface FrrOptions {
  readonly install: FrrInstall;
  /**
   * Folder of this instance, made when absent and never removed: sockets and pid files in `run`, frr.conf in `etc`, logs
   * in `log`. User frr must be able to reach it (nothing above it with mode 0700), and the path is at most 80 characters.
   */
  readonly dir: string;
  /** Network namespace to run in; it must exist. Without one the instance has one of its own, made and removed with it. */
  readonly netns?: string;
  /** `zebra`, `bgpd`, `bfdd` and `staticd` unless given. `mgmtd` is added where the release has it: zebra needs it there. */
  readonly daemons?: readonly FrrDaemon[];
  /** Text of frr.conf; without it the file stays as it is, or becomes empty. */
  readonly configText?: string;
  /** TCP port bgpd listens on; 0, the default, for a node that only dials; 179 for a router. */
  readonly bgpPort?: number;
  /** More arguments, behind ours. */
  readonly zebraArgs?: readonly string[];
  readonly bgpdArgs?: readonly string[];
}

/** A running FRR, or one that may be started again in the same folder. */
export interface Frr {
  readonly install: FrrInstall;
  readonly netns: string;
  /** Words that, with `-c COMMAND` or `-f FILE` behind them, reach these daemons from anywhere on the machine. */
  readonly vtysh: readonly string[];
  readonly socketsDir: string;
  /** For `--config_dir` and `frr-reload.py --confdir`. */
  readonly configDir: string;
  /** The file that daemons load when they start. */
  readonly configFile: string;
  readonly logDir: string;
  readonly daemons: readonly FrrDaemon[];
  /** Process ids of the daemons that run now. */
  pids(): Promise<ReadonlyMap<FrrDaemon, number>>;
  /** Runs vtysh with one command and gives its output; throws when vtysh fails or takes more than 30 s. */
  show(command: string): Promise<string>;
  /** Ends every daemon, SIGTERM first and SIGKILL after 5 s, and removes the namespace if it is the instance's own. */
  stop(): Promise<void>;
  /** Ends one daemon the hard way, as a crash would; `SIGKILL` unless given. Returns when it is gone. */
  killDaemon(name: FrrDaemon, signal?: NodeJS.Signals): Promise<void>;
  /** Starts one daemon and has it load its part of the configuration file, as FRR's watchfrr does after a crash. */
  startDaemon(name: FrrDaemon): Promise<void>;
}

/** sun_path of unix(7) holds 108 bytes with the closing zero; the longest socket name is `mgmtd_be.sock`. */
const MAX_DIR = 80;
const START_TIMEOUT_MS = 20_000;
const TERM_TIMEOUT_MS = 5_000;

/**
 * The handle of an instance without starting it: for a program that did not start it itself, with the options it was
 * started with.
 */
export function frrInstance(options: FrrOptions): Frr {
  const { install } = options;
  const dir = resolve(options.dir);
  if (Buffer.byteLength(dir) > MAX_DIR) {
    throw new Error(
      `FRR folder ${dir}: ${Buffer.byteLength(dir)} bytes, at most ${MAX_DIR} leave room for its socket names`,
    );
  }
  const socketsDir = join(dir, 'run');
  const configDir = join(dir, 'etc');
  const configFile = join(configDir, 'frr.conf');
  const netns = options.netns ?? ownNetns(dir);
  const daemons = options.daemons ?? ['zebra', 'bgpd', 'bfdd', 'staticd'];
  const vtysh = inInstall(install, ['vtysh', '--vty_socket', socketsDir, '--config_dir', configDir]);
  const pidOf = (name: FrrDaemon) => runningPid(join(socketsDir, `${name}.pid`), socketsDir);
  const layout: Layout = { options, dir, socketsDir, configDir, netns, vtysh };
  const pids = async (): Promise<ReadonlyMap<FrrDaemon, number>> => {
    const found = new Map<FrrDaemon, number>();
    for (const name of withMgmtd(daemons)) {
      const pid = await pidOf(name);
      if (pid !== undefined) found.set(name, pid);
    }
    return found;
  };

  return {
    ...{ install, netns, vtysh, socketsDir, configDir, configFile, daemons },
    logDir: join(dir, 'log'),
    pids,
    show: (command) => runVtysh(vtysh, ['-c', command]),
    async stop() {
      const running = [...(await pids()).values()];
      await endProcesses(running, { signal: 'SIGTERM', timeoutMs: TERM_TIMEOUT_MS });
      if (options.netns === undefined) await deleteNetns(netns);
    },
    async killDaemon(name, signal = 'SIGKILL') {
      const pid = await pidOf(name);
      if (pid === undefined) throw new Error(`FRR ${install.version} in ${dir}: ${name} is not running`);
      await endProcesses([pid], { signal, timeoutMs: TERM_TIMEOUT_MS });
    },
    async startDaemon(name) {
      if ((await pidOf(name)) !== undefined) return;
      await launch(layout, name);
      await untilAnswers(layout, name);
      await runVtysh(vtysh, ['-b', '-d', name]);
    },
  };
}

/**
 * Starts the daemons, waits until each answers over vtysh, and has them load the configuration file.
 *
 * They run as FRR's own user with FRR's own capabilities, as they do in production; root only starts them. Each runs in a
 * private mount namespace in which /etc/frr, /run/frr and /var/tmp are this instance's folders: what a daemon has no
 * option for (bfdd's control socket, crash logs, mgmtd's sockets) stays in there too.
 *
 * @throws when privileges or FRR are missing, with the next step; when a daemon does not start or answer within 20 s, with
 *   what it said; when FRR refuses a line of the configuration. Nothing keeps running then.
 */
export async function startFrr(options: FrrOptions): Promise<Frr> {
  const privileges = await labPrivileges();
  if (!privileges.ok) throw new Error(`cannot start FRR: ${privileges.reason}`);
  const daemons = await daemonsToStart(options);
  const frr = frrInstance({ ...options, daemons });
  if ((await frr.pids()).size > 0) {
    throw new Error(`cannot start FRR in ${options.dir}: daemons run there already; stop them first`);
  }
  await prepareFolders(frr, options);
  if (options.netns === undefined && !(await listNetns()).includes(frr.netns)) await createNetns(frr.netns);
  const layout: Layout = {
    ...{ options, dir: resolve(options.dir), netns: frr.netns, vtysh: frr.vtysh },
    ...{ socketsDir: frr.socketsDir, configDir: frr.configDir },
  };
  try {
    // One after the other: the rest connect to zebra as they start, and zebra to mgmtd.
    for (const name of daemons) await launch(layout, name);
    for (const name of daemons) await untilAnswers(layout, name);
    await runVtysh(frr.vtysh, ['-b']);
  } catch (error) {
    await frr.stop();
    throw error;
  }
  return frr;
}

interface Layout {
  readonly options: FrrOptions;
  readonly dir: string;
  readonly socketsDir: string;
  readonly configDir: string;
  readonly netns: string;
  readonly vtysh: readonly string[];
}

/** Start order; `mgmtd` first where the release has it (FRR 8.5 and later). */
async function daemonsToStart(options: FrrOptions): Promise<readonly FrrDaemon[]> {
  const daemons = options.daemons ?? ['zebra', 'bgpd', 'bfdd', 'staticd'];
  const folder = join(options.install.root, DAEMON_FOLDER);
  if (!(await exists(join(folder, 'zebra')))) {
    throw new Error(
      `cannot start FRR ${options.install.version}: ${join(folder, 'zebra')} is missing; run \`npm run setup\``,
    );
  }
  return (await exists(join(folder, 'mgmtd'))) ? withMgmtd(daemons) : daemons;
}

function withMgmtd(daemons: readonly FrrDaemon[]): readonly FrrDaemon[] {
  return daemons.includes('mgmtd') ? daemons : ['mgmtd', ...daemons];
}

async function prepareFolders(frr: Frr, options: FrrOptions): Promise<void> {
  const dir = resolve(options.dir);
  const { uid, gid } = await frrUser();
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o755);
  // Sockets of a killed daemon would be taken for those of a live one.
  await rm(frr.socketsDir, { recursive: true, force: true });
  for (const folder of [frr.socketsDir, frr.configDir, frr.logDir, join(dir, 'tmp')]) {
    await mkdir(folder, { recursive: true });
    await chown(folder, uid, gid);
    await chmod(folder, 0o755);
  }
  await writeFile(join(frr.configDir, 'vtysh.conf'), 'service integrated-vtysh-config\n');
  if (options.configText !== undefined) {
    await writeFile(frr.configFile, options.configText, { mode: 0o600 });
  } else if (!(await exists(frr.configFile))) {
    await writeFile(frr.configFile, '', { mode: 0o600 });
  }
}

async function frrUser(): Promise<{ readonly uid: number; readonly gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((text) => text.startsWith('frr:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error('cannot start FRR: there is no user "frr" in /etc/passwd; run `npm run setup`');
  }
  return { uid: Number(uid), gid: Number(gid) };
}

async function launch(layout: Layout, name: FrrDaemon): Promise<void> {
  const { options, dir, socketsDir, netns } = layout;
  const argv = [
    ...[join(DAEMON_FOLDER, name), '-d', '--vty_socket', socketsDir, '-z', join(socketsDir, 'zserv.api')],
    // No TCP vty: instances in one namespace would fight for its port.
    ...['-i', join(socketsDir, `${name}.pid`), '-P', '0'],
    ...['--log', `file:${join(dir, 'log', `${name}.log`)}`, '--log-level', 'informational'],
    // The netlink buffer of FRR's own packaging: a burst of routes must not overflow it.
    ...(name === 'zebra' ? ['-s', '90000000', ...(options.zebraArgs ?? [])] : []),
    ...(name === 'bgpd' ? ['-p', String(options.bgpPort ?? 0), ...(options.bgpdArgs ?? [])] : []),
  ];
  const outputPath = join(dir, 'log', `${name}.out`);
  const run = await execa(
    'sh',
    [
      // To a file: a daemon that kept a pipe open would make us wait for ever.
      ...['-c', 'out=$1; shift; exec "$@" >"$out" 2>&1', 'sh', outputPath],
      ...inNetns(netns),
      ...inInstall(options.install, argv, await mountsFor(layout)),
    ],
    { stdio: 'ignore', reject: false, timeout: START_TIMEOUT_MS, cwd: '/' },
  );
  if (run.failed) {
    const said = firstText(await readFile(outputPath, 'utf8'), run.shortMessage)
      .split('\n')
      .slice(0, 5);
    throw new Error(`FRR ${options.install.version}: ${name} did not start: ${said.join('\n')}`);
  }
}

/** The fixed paths of FRR that must be the instance's own. */
async function mountsFor(layout: Layout): Promise<(readonly [string, string])[]> {
  const mounts: (readonly [string, string])[] = [
    [layout.configDir, '/etc/frr'],
    [layout.socketsDir, '/run/frr'],
    [join(layout.dir, 'tmp'), '/var/lib/frr'],
    [join(layout.dir, 'tmp'), '/var/tmp'],
  ];
  const there = await Promise.all(mounts.map(([, target]) => exists(target)));
  return mounts.filter((_, index) => there[index]);
}

async function untilAnswers(layout: Layout, name: FrrDaemon): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const [file, ...args] = [...layout.vtysh, '-d', name, '-c', 'show modules'];
  let said = '';
  while (Date.now() < deadline) {
    const run = await execa(file, args, { reject: false, timeout: 5_000, stdin: 'ignore' });
    if (!run.failed && run.stdout.includes(`Module information for ${name}`)) return;
    said = firstText(run.stderr, run.stdout, run.shortMessage);
    await delay(25);
  }
  const log = join(layout.dir, 'log', `${name}.log`);
  throw new Error(
    `FRR ${layout.options.install.version}: ${name} did not answer vtysh within ${START_TIMEOUT_MS / 1000} s: ${said}; its log is ${log}`,
  );
}

async function runVtysh(vtysh: readonly string[], args: readonly string[]): Promise<string> {
  const [file = '', ...rest] = [...vtysh, ...args];
  const run = await execa(file, rest, { reject: false, timeout: 30_000, stdin: 'ignore', all: true });
  if (run.failed) {
    const said = run.timedOut ? 'no answer within 30 s' : firstText(run.all, run.shortMessage);
    throw new Error(`vtysh ${args.join(' ')}: ${said}`);
  }
  return run.stdout;
}

function firstText(...texts: readonly (string | undefined)[]): string {
  return texts.find((text) => text !== undefined && text.trim() !== '')?.trim() ?? '';
}

/** The same folder gives the same name, so a later process finds it again. */
function ownNetns(dir: string): string {
  return `frr-${createHash('sha256').update(dir).digest('hex').slice(0, 10)}`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
