import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** FRR releases whose answers are recorded beside this file, lowest first. */
export const RECORDED_VERSIONS: readonly string[] = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

/** A recorded answer as vtysh printed it; README.md names them. */
export function recording(version: string, name: string): string {
  return readFileSync(join(import.meta.dirname, version, name), 'utf8');
}
