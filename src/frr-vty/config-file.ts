import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchownSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { VtyError } from './errors.ts';

/**
 * Replaces a file in one step, readable by its owner alone (it holds passwords): whoever reads it finds the old or
 * the new text, never half of one. The new file keeps the owner of the old one or of the folder, since FRR may run
 * as another user.
 *
 * Synchronous, since FRR's lines wait for it: a millisecond at the most, where the same through the thread pool takes
 * up to six on a busy machine.
 *
 * @throws {VtyError} CONFIG_FILE_NOT_WRITTEN
 */
export function writeConfigFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const owner = ownerFor(path);
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      if (process.getuid?.() === 0) fchownSync(file, owner.uid, owner.gid);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VtyError('CONFIG_FILE_NOT_WRITTEN', `${path} cannot be written: ${reason}`, { cause });
  }
}

function ownerFor(path: string): Stats {
  return statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(path));
}
