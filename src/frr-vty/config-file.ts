import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VtyError } from './errors.ts';

/**
 * Replaces a file in one step, readable by its owner alone (it holds passwords): whoever reads it finds the old or
 * the new text, never half of one. The new file keeps the owner of the old one or of the folder, since FRR may run
 * as another user.
 *
 * @throws {VtyError} CONFIG_FILE_NOT_WRITTEN
 */
export async function writeConfigFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const owner = await stat(path).catch(() => stat(dirname(path)));
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VtyError('CONFIG_FILE_NOT_WRITTEN', `${path} cannot be written: ${reason}`, { cause });
  }
}
