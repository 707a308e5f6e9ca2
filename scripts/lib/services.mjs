// Installing packages of daemons without having the system run them.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exists, must, onInterrupt, rootAccess, run, say } from './process.mjs';

/** The services that come with packages. */
const SERVICES = new Map([
  ['frr', 'frr.service'],
  ['bird2', 'bird.service'],
  ['gobgpd', 'gobgpd.service'],
  ['etcd-server', 'etcd.service'],
  ['containerd', 'containerd.service'],
  ['nftables', 'nftables.service'],
  ['prometheus', 'prometheus.service'],
  ['keepalived', 'keepalived.service'],
]);

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_MARK = '# Made by the set-up of metallb-frr, which removes it again, while it installs:';
const REMOVE = ['rm', '-f', POLICY_FILE];

/**
 * Debian starts a service when its package is installed, unless policy-rc.d says no, and at every boot. The daemons here
 * are started by hand, in namespaces; one in the machine's own network could take over its routes. An existing policy is
 * left alone, and so are services whose packages were there before.
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names of the packages that `install` installs
 * @param {() => Promise<void>} install
 */
export async function withServicesStopped(asRoot, names, install) {
  const left = await leftByKilledSetUp();
  if (left === undefined && (await exists(POLICY_FILE))) {
    say(`  (${POLICY_FILE} exists and decides whether their services start)`);
    await install();
    await disableServices(asRoot, names);
    return;
  }
  const all = [...new Set([...(left ?? []), ...names])];
  const [file = '', ...args] = [...asRoot, ...REMOVE];
  const done = onInterrupt(() => execFileSync(file, args, { stdio: 'ignore', timeout: 10_000 }));
  try {
    await writePolicy(asRoot, all);
    await install();
    await disableServices(asRoot, all);
  } finally {
    await removePolicy(asRoot);
    done();
  }
}

/** @returns {Promise<readonly string[] | undefined>} the packages that a set-up was installing when it was killed; undefined: none */
export async function leftByKilledSetUp() {
  const text = await readFile(POLICY_FILE, 'utf8').catch(() => '');
  const line = text.split('\n').find((candidate) => candidate.startsWith(POLICY_MARK));
  return line?.slice(POLICY_MARK.length).split(' ').filter(Boolean);
}

/** Ends what a set-up that was killed has begun. Only the holder of the lock knows that it was. */
export async function finishKilledSetUp() {
  const [names, access] = await Promise.all([leftByKilledSetUp(), rootAccess()]);
  // Without root, whoever installs packages next will find it.
  if (names === undefined || !access.ok) return;
  say(`Removing ${POLICY_FILE}, left by a set-up that was killed.`);
  await disableServices(access.prefix, names);
  await removePolicy(access.prefix);
}

/**
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names
 */
async function writePolicy(asRoot, names) {
  const folder = await mkdtemp(join(tmpdir(), 'mlf-setup-'));
  try {
    const path = join(folder, 'policy-rc.d');
    await writeFile(path, `#!/bin/sh\n${POLICY_MARK} ${names.join(' ')}\nexit 101\n`);
    await must([...asRoot, 'install', '-m', '755', path, POLICY_FILE], {
      what: `Could not write ${POLICY_FILE}, which keeps new services from starting`,
      next: 'Run the same command as root.',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} asRoot */
async function removePolicy(asRoot) {
  await must([...asRoot, ...REMOVE], {
    what: `Could not remove ${POLICY_FILE}`,
    next: `Remove it by hand: ${REMOVE.join(' ')}`,
  });
}

/**
 * The services were not started; without this they would be at the next boot.
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names
 */
async function disableServices(asRoot, names) {
  const services = names.map((name) => SERVICES.get(name)).filter((service) => service !== undefined);
  if (services.length === 0 || !(await exists('/usr/bin/systemctl'))) return;
  const command = [...asRoot, 'systemctl', 'disable', '--quiet', ...services];
  const disabled = await run(command, { timeoutMs: 60_000 });
  if (disabled.ok) say(`  Their services (${services.join(', ')}) will not start at boot.`);
  else say(`  Could not keep ${services.join(', ')} from starting at boot: ${disabled.all.trim()}`);
}
