// FRR of the Debian releases other than this machine's, so that tests see every release that is supported.
import { rmSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { osRelease } from './debian.mjs';
import { sharedTools } from './paths.mjs';
import { SetupError, exists, must, onInterrupt, rootAccess, run, say } from './process.mjs';

/** @typedef {{ codename: string, frr: string }} Release */

/** @type {readonly Release[]} */
const RELEASES = [
  { codename: 'bookworm', frr: '8.4' },
  { codename: 'trixie', frr: '10.3' },
];

/** @returns {Promise<Release[]>} those whose FRR is neither the machine's own nor in the tools folder */
export async function missingReleases() {
  const own = await run(['/usr/lib/frr/bgpd', '--version'], { timeoutMs: 10_000 });
  const missing = [];
  for (const release of RELEASES) {
    if (own.output.startsWith(`bgpd version ${release.frr}`)) continue;
    if (!(await exists(folderFor(release)))) missing.push(release);
  }
  return missing;
}

/** @param {Release} release */
function folderFor({ codename }) {
  return join(sharedTools(), `debian-${codename}`);
}

/**
 * Built aside and renamed when complete: a folder under its final name is whole.
 * @param {Release} release
 */
export async function buildRelease(release) {
  const target = folderFor(release);
  const access = await rootAccess();
  if (!access.ok) {
    throw new SetupError(`Building ${target} needs root: ${access.reason}.`, 'Run the same command as root.');
  }
  say(
    `Fetching FRR ${release.frr} of Debian ${release.codename} into ${target} for the tests (about half a minute).`,
  );
  await mkdir(sharedTools(), { recursive: true });
  await removeAborted(access.prefix);
  const folder = `${target}.tmp-${process.pid}`;
  const script = [...access.prefix, 'unshare', '--mount', '--', 'sh', '-euc', BUILD, 'sh'];
  const next = `Check that this machine reaches a Debian mirror, then run the same command again. To use a mirror of your own: METALLB_FRR_MIRROR=URL`;
  const done = onInterrupt(() => {
    // What root made, this process can remove only when it is root; the next set-up removes the rest.
    if (access.prefix.length === 0) rmSync(folder, { recursive: true, force: true });
  });
  try {
    await must([...script, release.codename, folder, await mirror(), await aptSettings()], {
      what: `FRR of Debian ${release.codename} could not be fetched`,
      next,
      timeoutMs: 1_200_000,
    });
    await checkWorks(access.prefix, folder, release);
    await rename(folder, target);
  } catch (error) {
    await run([...access.prefix, 'rm', '-rf', '--one-file-system', folder]);
    throw error;
  } finally {
    done();
  }
}

/**
 * Arguments: codename, folder, mirror or nothing, apt settings. Runs in a mount namespace of its own: what debootstrap
 * mounts is gone when it ends, however it ends. The packages are unpacked and not installed, because the scripts of some
 * want a running system.
 */
const BUILD = `
codename=$1 folder=$2 mirror=$3 settings=$4
debootstrap --variant=minbase --merged-usr "$codename" "$folder" \${mirror:+"$mirror"}
[ -z "$settings" ] || printf '%s\\n' "$settings" > "$folder/etc/apt/apt.conf.d/90host"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$folder" apt-get install -q -y --no-install-recommends --download-only frr frr-pythontools
for deb in "$folder"/var/cache/apt/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$folder" --keep-directory-symlink
done
chroot "$folder" ldconfig
rm -rf "$folder"/var/cache/apt "$folder"/var/lib/apt/lists "$folder"/usr/share/doc "$folder"/usr/share/man "$folder"/usr/share/locale
`;

/**
 * FRR must run the way src/lab/frr/installs.ts runs it.
 * @param {readonly string[]} asRoot
 * @param {string} folder
 * @param {Release} release
 */
async function checkWorks(asRoot, folder, release) {
  const script =
    'mount --bind "$1/etc/ld.so.cache" /etc/ld.so.cache; mount --bind "$1/usr" /usr; shift; exec "$@"';
  for (const program of [
    '/usr/lib/frr/bgpd',
    '/usr/lib/frr/zebra',
    '/usr/lib/frr/bfdd',
    '/usr/lib/frr/staticd',
  ]) {
    const command = ['unshare', '--mount', '--', 'sh', '-euc', script, 'sh', folder, program, '--version'];
    const { output, all } = await run([...asRoot, ...command], { timeoutMs: 30_000 });
    if (output.includes(` version ${release.frr}`)) continue;
    throw new SetupError(
      `${program} of Debian ${release.codename} does not run here: ${all.trim().split('\n')[0]}`,
      'This is a fault of the set-up; please report it with the line above.',
    );
  }
}

/**
 * Left by a set-up that was killed. Only one set-up runs at a time, so none of them is in use.
 * @param {readonly string[]} asRoot
 */
async function removeAborted(asRoot) {
  for (const entry of await readdir(sharedTools())) {
    if (!/^debian-[a-z]+\.tmp-\d+$/.test(entry)) continue;
    await run([...asRoot, 'rm', '-rf', '--one-file-system', join(sharedTools(), entry)]);
  }
}

/** The mirror this machine has its own packages from, if it is a Debian; else empty, and debootstrap takes its default. */
async function mirror() {
  if (process.env.METALLB_FRR_MIRROR) return process.env.METALLB_FRR_MIRROR;
  const { ID: id, VERSION_CODENAME: codename } = await osRelease();
  if (id !== 'debian') return '';
  const format = ['indextargets', '--format', '$(REPO_URI)'];
  const { output } = await run([
    'apt-get',
    ...format,
    `Codename: ${codename}`,
    'Component: main',
    'Created-By: Packages',
  ]);
  return output.split('\n')[0]?.trim() ?? '';
}

/** How this machine's apt reaches mirrors: proxies and the like, as lines for apt.conf. */
async function aptSettings() {
  const { output } = await run(['apt-config', 'dump']);
  const lines = output.split('\n').filter((line) => /^Acquire::(https?|ftp)::[^"]*"[^"]+";$/.test(line));
  return lines.join('\n');
}
