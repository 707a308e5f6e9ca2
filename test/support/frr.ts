import { describe } from 'vitest';
import {
  createNetns,
  deleteNetns,
  frrInstalls,
  labPrivileges,
  startFrr,
  type Frr,
  type FrrInstall,
  type FrrOptions,
} from '../../src/lab/index.ts';
import { atEnd, tempDir } from './cleanup.ts';
import { ownName, removeLeftovers } from './leftovers.ts';

/** What the tests want to see: the FRR of Debian bookworm and of Debian trixie, by major version. */
const WANTED_MAJORS = [8, 10];

const privileges = await labPrivileges();
const installs = privileges.ok ? await frrInstalls() : [];
if (privileges.ok) await removeLeftovers();

/**
 * A `describe` for each FRR release of this machine, the version in its title. A release that is missing shows up as a
 * skipped test with the reason in its title; so does all of it without root.
 */
export function describeWithFrr(title: string, body: (install: FrrInstall) => void): void {
  for (const install of installs) {
    describe(`${title} (FRR ${install.version})`, () => {
      body(install);
    });
  }
  if (!privileges.ok) {
    skipWithReason(title, privileges.reason);
    return;
  }
  for (const major of WANTED_MAJORS) {
    if (installs.some((install) => Number.parseInt(install.version, 10) === major)) continue;
    skipWithReason(title, `FRR ${major}.x is not on this machine: run \`npm run setup\``);
  }
}

/** A `describe` for the newest FRR release of this machine: for tests that take long, and are not about FRR. */
export function describeWithNewestFrr(title: string, body: (install: FrrInstall) => void): void {
  const newest = installs.toSorted((a, b) => Number.parseFloat(b.version) - Number.parseFloat(a.version))[0];
  if (newest) {
    describe(`${title} (FRR ${newest.version})`, () => {
      body(newest);
    });
  } else {
    skipWithReason(
      title,
      privileges.ok ? 'no FRR is on this machine: run `npm run setup`' : privileges.reason,
    );
  }
}

/** A `describe` for tests that make network namespaces; skipped with the reason in its title where they cannot be made. */
export function describeWithNetns(title: string, body: () => void): void {
  if (privileges.ok) describe(title, body);
  else skipWithReason(title, privileges.reason);
}

/** `npm test` lists what stands behind "skipped: " in a title. */
function skipWithReason(title: string, reason: string): void {
  describe(title, (it) => {
    it.skip(`skipped: ${reason}`);
  });
}

/** An FRR in a new folder, stopped after the last test of the file. */
export async function startTestFrr(options: Omit<FrrOptions, 'dir'>): Promise<Frr> {
  const frr = await startFrr({ ...options, dir: await tempDir() });
  atEnd(() => frr.stop());
  return frr;
}

let netnsCount = 0;

/** A new network namespace, removed after the last test of the file. Names are unique among processes. */
export async function testNetns(): Promise<string> {
  netnsCount += 1;
  const name = ownName(String(netnsCount));
  await createNetns(name);
  atEnd(() => deleteNetns(name));
  return name;
}
