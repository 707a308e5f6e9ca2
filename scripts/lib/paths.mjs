// Where set-up puts things.
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What belongs to this checkout alone. */
export const TOOLS = join(ROOT, '.tools');

/** What all checkouts of this user share. src/lab/frr/installs.ts looks for it by the same rule. */
export function sharedTools() {
  const { METALLB_FRR_TOOLS: given, XDG_CACHE_HOME: cache } = process.env;
  return given || join(cache || join(homedir(), '.cache'), 'metallb-frr');
}
