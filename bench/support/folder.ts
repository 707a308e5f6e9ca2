import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Replaces a manifest file in one step, as an editor or a deployment tool does. */
export async function putFile(folder: string, name: string, text: string): Promise<number> {
  const path = join(folder, name);
  await writeFile(`${path}.tmp`, text);
  const atMs = performance.now();
  await rename(`${path}.tmp`, path);
  return atMs;
}

export async function removeFile(folder: string, name: string): Promise<number> {
  const atMs = performance.now();
  await rm(join(folder, name));
  return atMs;
}
