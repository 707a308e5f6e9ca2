// The Debian packages that the lab, its demo and its tests run.
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { SetupError, exists, must, onInterrupt, rootAccess, run, say } from './process.mjs';

/** @typedef {{ name: string, why: string }} Package */

/** @type {readonly Package[]} */
const FOR_LAB = [
  { name: 'frr', why: 'BGP and BFD daemons of the nodes and routers' },
  { name: 'frr-pythontools', why: 'frr-reload.py, which the benchmark compares with' },
  { name: 'bird2', why: 'a router of another make' },
  { name: 'gobgpd', why: 'a router of a third make' },
  { name: 'iproute2', why: 'network namespaces as hosts, and the links between them' },
  { name: 'curl', why: 'requests to the announced addresses' },
];

/** @type {readonly Package[]} */
const FOR_CHROOTS = [{ name: 'debootstrap', why: 'fetches the FRR of another Debian release for the tests' }];

/** Services that these packages would have the system start at boot. */
const SERVICES = new Map([
  ['frr', 'frr.service'],
  ['bird2', 'bird.service'],
  ['gobgpd', 'gobgpd.service'],
]);

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_MARK = '# Made by the set-up of metallb-frr; removed when the packages are installed.';
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
 * @param {{ chroots: boolean }} needs
 * @returns {Promise<Package[]>}
 */
export async function missingPackages(needs) {
  const wanted = [...FOR_LAB];
  if (needs.chroots) {
    wanted.push(...FOR_CHROOTS);
    if ((await osRelease()).ID !== 'debian') {
      wanted.push({ name: 'debian-archive-keyring', why: 'the keys that Debian signs its packages with' });
    }
  }
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

  const release = await keepServicesStopped(access.prefix);
  try {
    await install(access.prefix, names);
  } finally {
    await release();
  }
  await disableServices(access.prefix, names);
}

/**
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names
 */
async function install(asRoot, names) {
  const command = [...asRoot, ...APT, 'install', '-y', '--no-install-recommends', ...names];
  // A fresh system has no package lists, and old lists name packages that are gone from the mirrors.
  const lists = await readdir('/var/lib/apt/lists').catch(() => []);
  if (lists.some((name) => name.includes('_Packages')) && (await run(command)).ok) return;
  say('  (reading the package lists first)');
  const next = 'Look at what apt-get says above, repair it, and run the same command again.';
  await must([...asRoot, ...APT, 'update'], { what: 'apt-get update failed', next });
  await must(command, { what: 'apt-get install failed', next });
}

/**
 * Debian starts a service when its package is installed, unless policy-rc.d says no. The daemons here are started by
 * hand, in namespaces; one in the machine's own network could take over its routes. An existing policy is left alone.
 * @param {readonly string[]} asRoot
 * @returns {Promise<() => Promise<void>>} removes what was made
 */
async function keepServicesStopped(asRoot) {
  const found = await readFile(POLICY_FILE, 'utf8').catch(() => '');
  // Ours from a set-up that was killed: nobody else runs one now, so take it over.
  if ((await exists(POLICY_FILE)) && !found.includes(POLICY_MARK)) {
    say(`  (${POLICY_FILE} exists and decides whether their services start)`);
    return async () => {};
  }
  const remove = [...asRoot, 'rm', '-f', POLICY_FILE];
  const [file = '', ...args] = remove;
  const done = onInterrupt(() => execFileSync(file, args, { stdio: 'ignore', timeout: 10_000 }));
  const folder = await mkdtemp(join(tmpdir(), 'mlf-setup-'));
  const undoFolder = onInterrupt(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const path = join(folder, 'policy-rc.d');
    await writeFile(path, `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`);
    await must([...asRoot, 'install', '-m', '755', path, POLICY_FILE], {
      what: `Could not write ${POLICY_FILE}, which keeps new services from starting`,
      next: 'Run the same command as root.',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
    undoFolder();
  }
  return async () => {
    await must(remove, {
      what: `Could not remove ${POLICY_FILE}`,
      next: `Remove it by hand: ${remove.join(' ')}`,
    });
    done();
  };
}

/**
 * The services were not started; without this they would be at the next boot.
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names
 */
async function disableServices(asRoot, names) {
  const services = names.map((name) => SERVICES.get(name)).filter((service) => service !== undefined);
  if (services.length === 0 || !(await exists('/usr/bin/systemctl'))) return;
  const disabled = await run([...asRoot, 'systemctl', 'disable', '--quiet', ...services], {
    timeoutMs: 60_000,
  });
  if (disabled.ok)
    say(`  Their services (${services.join(', ')}) were not started and will not start at boot.`);
  else say(`  Could not keep ${services.join(', ')} from starting at boot: ${disabled.all.trim()}`);
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
