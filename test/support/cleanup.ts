import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { RUN_FOLDER, ownName } from './leftovers.ts';

const actions: (() => Promise<void>)[] = [];

// Registered when a test file imports this one, so before the file's own hooks: it runs after them.
afterAll(async () => {
  const failures: unknown[] = [];
  for (const action of actions.splice(0).reverse()) {
    try {
      await action();
    } catch (error) {
      failures.push(error); // the others must still run
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `cleaning up failed: ${String(failures[0])}`);
});

/** Has `action` run after the last test of the file, the latest first, failed tests or not. It must be harmless twice. */
export function atEnd(action: () => Promise<void>): void {
  actions.push(action);
}

/** A new empty folder, removed after the last test of the file. Its path is short enough for FRR's sockets. */
export async function tempDir(): Promise<string> {
  // User frr must reach it, and a TMPDIR of this user may be closed to others or deep.
  const parent = process.getuid?.() === 0 ? RUN_FOLDER : tmpdir();
  const path = await mkdtemp(join(parent, ownName('')));
  atEnd(() => rm(path, { recursive: true, force: true }));
  return path;
}
