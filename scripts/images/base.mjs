// A base image made from Debian's packages, for machines that reach a mirror but no registry.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { osRelease } from '../lib/debian.mjs';
import { sharedTools } from '../lib/paths.mjs';
import { SetupError, exists, findProgram, must, rootAccess, run } from '../lib/process.mjs';

const CODENAME = 'bookworm';
export const BASE_IMAGE = `localhost/metallb-frr-base:${CODENAME}`;

/**
 * Made once and kept; a file under its final name is whole.
 * @param {object} options
 * @param {boolean} options.fresh make it anew
 * @param {(text: string) => void} options.progress
 * @returns {Promise<string>} archive of a root file system
 */
export async function makeBase({ fresh, progress }) {
  const archive = join(sharedTools(), `base-${CODENAME}-${process.arch}.tar`);
  if (!fresh && (await exists(archive))) return archive;
  const access = await rootAccess();
  if (!access.ok) {
    throw new SetupError(`--make-base needs root: ${access.reason}.`, 'Run the same command as root.');
  }
  if (!(await findProgram('debootstrap')) && !(await exists('/usr/sbin/debootstrap'))) {
    throw new SetupError(
      'debootstrap is missing, which --make-base makes the base with.',
      'Install it (on Debian: apt-get install --no-install-recommends debootstrap).',
    );
  }
  progress(`Making a base from Debian ${CODENAME} (about half a minute); it is kept in ${archive}`);
  await mkdir(sharedTools(), { recursive: true });
  const folder = join(sharedTools(), `base-${CODENAME}.tmp-${process.pid}`);
  const sources = await aptSources();
  try {
    const script = [...access.prefix, 'unshare', '--mount', '--', 'sh', '-euc', BUILD, 'sh'];
    await must(
      [...script, CODENAME, folder, archive, sources[0]?.uri ?? '', sources.map(sourceLine).join('\n')],
      {
        what: 'The base could not be made',
        next: 'Check that this machine reaches a Debian mirror, then run the same command again. To use a mirror of your own: METALLB_FRR_MIRROR=URL',
        timeoutMs: 1_200_000,
      },
    );
  } finally {
    await run([...access.prefix, 'rm', '-rf', '--one-file-system', folder, `${archive}.tmp`]);
    await rm(folder, { recursive: true, force: true });
  }
  return archive;
}

/**
 * Arguments: codename, folder, archive, mirror or nothing, lines for sources.list or nothing. Runs in a mount namespace of its
 * own: what debootstrap mounts is gone when it ends. Manuals and translations stay out, now and of what is installed later.
 */
const BUILD = `
codename=$1 folder=$2 archive=$3 mirror=$4 sources=$5
PATH=$PATH:/usr/sbin:/sbin
debootstrap --variant=minbase --merged-usr "$codename" "$folder" \${mirror:+"$mirror"}
cat > "$folder/etc/dpkg/dpkg.cfg.d/90image" <<END
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
END
if [ -n "$sources" ]; then
  printf '%s\\n' "$sources" > "$folder/etc/apt/sources.list"
  # What was repaired since the release.
  chroot "$folder" apt-get -q update
  DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$folder" apt-get -q -y upgrade
fi
cd "$folder"
find usr/share/doc -type f ! -name copyright -delete
find usr/share/doc -type d -empty -delete
for each in usr/share/info usr/share/lintian usr/share/locale usr/share/man var/cache/apt var/lib/apt/lists var/log; do
  find "$each" -mindepth 1 -delete
done
mkdir -p var/lib/apt/lists/partial var/cache/apt/archives/partial
tar --create --one-file-system --numeric-owner --file "$archive.tmp" .
mv "$archive.tmp" "$archive"
`;

/** @typedef {{ uri: string, suite: string }} AptSource */

/** @param {AptSource} source */
function sourceLine({ uri, suite }) {
  return `deb ${uri} ${suite} main`;
}

/**
 * Where this machine has its own packages from, for the release of the base, the release itself first. Empty when it is no
 * Debian: debootstrap knows where to ask then.
 * @returns {Promise<AptSource[]>}
 */
async function aptSources() {
  const { METALLB_FRR_MIRROR: mirror } = process.env;
  if (mirror) return [CODENAME, `${CODENAME}-updates`].map((suite) => ({ uri: mirror, suite }));
  const { ID: id, VERSION_CODENAME: own } = await osRelease();
  if (id !== 'debian' || own === undefined) return [];
  const { output } = await run([
    ...[
      'apt-get',
      'indextargets',
      '--format',
      '$(REPO_URI) $(CODENAME) $(COMPONENT)',
      'Created-By: Packages',
    ],
  ]);
  /** @type {AptSource[]} */
  const sources = [];
  for (const suffix of ['', '-updates', '-security']) {
    const line = output.split('\n').find((each) => each.endsWith(` ${own}${suffix} main`));
    if (line !== undefined) sources.push({ uri: line.split(' ')[0] ?? '', suite: `${CODENAME}${suffix}` });
  }
  return sources;
}
