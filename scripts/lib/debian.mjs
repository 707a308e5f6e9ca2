// The Debian packages that the lab, its demo and its tests run.
import { readFile, readdir } from 'node:fs/promises';
import { SetupError, exists, must, rootAccess, run, say } from './process.mjs';
import { withServicesStopped } from './services.mjs';

/** @typedef {{ name: string, why: string }} Package */

/** @type {readonly Package[]} */
const FOR_LAB = [
  { name: 'frr', why: 'BGP and BFD daemons of the nodes and routers' },
  { name: 'frr-pythontools', why: 'frr-reload.py, which the benchmark compares with' },
  { name: 'bird2', why: 'a router of another make' },
  { name: 'gobgpd', why: 'a router of a third make' },
  { name: 'iproute2', why: 'network namespaces as hosts, and the links between them' },
  { name: 'curl', why: 'requests to the announced addresses' },
  { name: 'iputils-ping', why: 'a packet each millisecond to an announced address' },
  { name: 'tcpdump', why: 'records what is on a LAN' },
  { name: 'keepalived', why: 'VRRP, which the layer 2 benchmark compares with' },
];

/** @type {readonly Package[]} */
const FOR_CHROOTS = [{ name: 'debootstrap', why: 'fetches the FRR of another Debian release for the tests' }];

/** @type {readonly Package[]} */
const FOR_IMAGES = [
  { name: 'debootstrap', why: 'makes what the container images are built on' },
  { name: 'podman', why: 'builds the container images' },
  { name: 'runc', why: 'starts containers' },
];

const APT = [
  'env',
  'DEBIAN_FRONTEND=noninteractive',
  'NEEDRESTART_SUSPEND=1',
  'apt-get',
  '-q',
  '-o',
  'DPkg::Lock::Timeout=300',
];

/**
 * @param {import('./setup.mjs').Needs} needs
 * @param {string | undefined} system `ID` of /etc/os-release
 * @returns {readonly Package[]} each once, with the first reason for it
 */
export function packagesFor(needs, system) {
  const lists = [
    ...(needs.daemons ? [FOR_LAB] : []),
    ...(needs.chroots ? [FOR_CHROOTS] : []),
    ...(needs.images ? [FOR_IMAGES] : []),
  ];
  /** @type {Map<string, Package>} */
  const wanted = new Map();
  for (const each of lists.flat()) if (!wanted.has(each.name)) wanted.set(each.name, each);
  if (wanted.has('debootstrap') && system !== 'debian') {
    const name = 'debian-archive-keyring';
    wanted.set(name, { name, why: 'the keys that Debian signs its packages with' });
  }
  return [...wanted.values()];
}

/**
 * @param {import('./setup.mjs').Needs} needs
 * @returns {Promise<Package[]>}
 */
export async function missingPackages(needs) {
  const wanted = packagesFor(needs, (await osRelease()).ID);
  if (wanted.length === 0) return [];
  const format = '${Package} ${db:Status-Status}\\n';
  // Fails when it knows one of the names not at all; what it does know is printed all the same.
  const { output } = await run(['dpkg-query', '-W', '-f', format, ...wanted.map(({ name }) => name)]);
  const installed = new Set(output.split('\n'));
  return wanted.filter(({ name }) => !installed.has(`${name} installed`));
}

/** @param {readonly Package[]} packages */
export async function installPackages(packages) {
  const names = packages.map(({ name }) => name);
  const { ID: id = 'unknown', ID_LIKE: like = '', PRETTY_NAME: pretty = id } = await osRelease();
  if (!`${id} ${like}`.split(' ').includes('debian') || !(await exists('/usr/bin/apt-get'))) {
    throw new SetupError(
      `This system (${pretty}) is not Debian or Ubuntu, and these are missing: ${names.join(', ')}.`,
      'Run this on Debian bookworm, Debian trixie or Ubuntu, for example in a virtual machine.',
    );
  }
  const access = await rootAccess();
  if (!access.ok) {
    throw new SetupError(
      `Installing Debian packages needs root: ${access.reason}.`,
      `Run the same command as root, or have an administrator run: apt-get install --no-install-recommends ${names.join(' ')}`,
    );
  }
  say('Installing Debian packages:');
  for (const { name, why } of packages) say(`  ${name.padEnd(24)}${why}`);

  await withServicesStopped(access.prefix, names, () => install(access.prefix, names));
}

/**
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names
 */
async function install(asRoot, names) {
  const command = [...asRoot, ...APT, 'install', '-y', '--no-install-recommends', ...names];
  // A fresh system has no package lists, and old lists name packages that are gone from the mirrors.
  const lists = await readdir('/var/lib/apt/lists').catch(() => []);
  if (lists.some((name) => name.includes('_Packages'))) {
    const first = await run(command);
    if (first.ok) return;
    // What apt-get asks for when an installation was killed, this one's predecessor or another.
    if (first.all.includes('dpkg --configure -a')) {
      say('  (finishing an installation that was interrupted: dpkg --configure -a)');
      await run([...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', '--configure', '-a']);
    }
  }
  say('  (reading the package lists first)');
  const next = 'Look at what apt-get says above, repair it, and run the same command again.';
  await must([...asRoot, ...APT, 'update'], { what: 'apt-get update failed', next });
  await must(command, { what: 'apt-get install failed', next });
}

/** @returns {Promise<Record<string, string>>} the fields of /etc/os-release, empty when there is no such file */
export async function osRelease() {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=(?:"([^"]*)"|(.*))$/gm)].map((match) => [
      match[1],
      match[2] ?? match[3] ?? '',
    ]),
  );
}
