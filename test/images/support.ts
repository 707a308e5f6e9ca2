import { execa } from 'execa';
import { readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { atEnd, tempDir } from '../support/index.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** Stays, so that the next run finds its layers. */
const TAG = 'test';
export const FRR_IMAGE = `localhost/metallb-frr-frr:${TAG}`;
export const OWN_IMAGE = `localhost/metallb-frr:${TAG}`;

/** What the chart gives to each container, and nothing else. */
export const CAPABILITIES = {
  speaker: ['NET_RAW'],
  frr: ['CHOWN', 'KILL', 'NET_ADMIN', 'NET_BIND_SERVICE', 'NET_RAW', 'SETGID', 'SETUID', 'SYS_ADMIN'],
} as const;

/** A `describe` for tests that build and run containers; skipped with the reason in its title where that cannot be. */
export function describeWithPodman(title: string, body: () => void): void {
  const reason = missing();
  if (reason === undefined) {
    describe(title, body);
    return;
  }
  describe(title, (it) => {
    it.skip(`skipped: ${reason}`);
  });
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  for (const program of ['podman', 'debootstrap']) {
    if (!isInstalled(program)) return `${program} is not on this machine: apt-get install ${program}`;
  }
  return undefined;
}

function isInstalled(program: string): boolean {
  const folders = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':');
  return folders.some((folder) => {
    try {
      return readFileSync(join(folder, program)).length > 0;
    } catch {
      return false; // not in this one
    }
  });
}

/** Builds both images as `npm run images` does; gives what it printed. */
export async function buildImages(): Promise<string> {
  const command = [join(CHECKOUT, 'scripts/images.mjs'), '--make-base', '--tag', TAG];
  const { stdout } = await execa(process.execPath, command, { cwd: CHECKOUT, stdin: 'ignore' });
  return stdout;
}

/** The folders that the containers of one pod share, empty and open to all as an emptyDir is. */
export interface Pod {
  readonly folder: string;
  readonly volumes: readonly string[];
}

export async function makePod(): Promise<Pod> {
  const folder = await tempDir();
  await chmod(folder, 0o755);
  const mounts = { etc: '/etc/frr', run: '/var/run/frr', tmp: '/var/tmp/frr' };
  const volumes: string[] = [];
  for (const [name, target] of Object.entries(mounts)) {
    await mkdir(join(folder, name));
    await chmod(join(folder, name), 0o777);
    volumes.push('--volume', `${join(folder, name)}:${target}`);
  }
  return { folder, volumes };
}

export interface RunOptions {
  readonly image: string;
  readonly command?: readonly string[];
  readonly capabilities?: readonly string[];
  /** More words for `podman run`. */
  readonly options?: readonly string[];
  readonly input?: string;
}

/** Runs a container to its end, with a read-only root file system; gives its standard output, throws when it fails. */
export async function runContainer(run: RunOptions): Promise<string> {
  const { stdout } = await podman(['run', '--rm', '--interactive', ...runWords(run)], run.input);
  return stdout;
}

/** Starts a container in the same way, to be removed after the last test of the file. */
export async function startContainer(name: string, run: RunOptions): Promise<void> {
  atEnd(async () => {
    await podman(['rm', '--force', '--ignore', '--time', '0', name]);
  });
  await podman(['run', '--detach', '--name', name, ...runWords(run)]);
}

export async function podman(args: readonly string[], input = ''): Promise<{ stdout: string; all: string }> {
  const { stdout, all } = await execa('podman', args, { input, all: true, timeout: 60_000 });
  return { stdout, all };
}

function runWords({ image, command = [], capabilities = [], options = [] }: RunOptions): string[] {
  return [
    ...(isInstalled('runc') ? ['--runtime', 'runc'] : []),
    // podman's own limits may be above those of this process, which cannot be raised in a container.
    ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'],
    ...['--network', 'none', '--read-only', '--read-only-tmpfs=false', '--security-opt', 'no-new-privileges'],
    ...['--cap-drop', 'ALL', ...capabilities.flatMap((capability) => ['--cap-add', capability])],
    ...[...options, image, ...command],
  ];
}
