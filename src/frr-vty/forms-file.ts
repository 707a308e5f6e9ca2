import { readFile, rm } from 'node:fs/promises';
import type { EquivalentForms, PlacedStatement } from '../frr-config/index.ts';
import { writeConfigFile } from './config-file.ts';

/**
 * What was learnt of the forms FRR prints the extras in, kept beside frr.conf so that a new process takes over a
 * running FRR without typing anything. Losing the file costs typing the extras once more.
 *
 * @returns nothing when the file is absent or not one of ours
 */
export async function readForms(path: string): Promise<readonly EquivalentForms[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return [];
  }
  return Array.isArray(value) && value.every(isForms) ? value : [];
}

/** @throws {VtyError} CONFIG_FILE_NOT_WRITTEN */
export async function writeForms(path: string, forms: readonly EquivalentForms[]): Promise<void> {
  if (forms.length === 0) await rm(path, { force: true });
  else writeConfigFile(path, `${JSON.stringify(forms)}\n`);
}

function isForms(value: unknown): value is EquivalentForms {
  return isRecord(value) && isStatements(value.typed) && isStatements(value.printed);
}

function isStatements(value: unknown): value is PlacedStatement[] {
  return (
    Array.isArray(value) &&
    value.every(
      (item) =>
        isRecord(item) &&
        typeof item.line === 'string' &&
        Array.isArray(item.path) &&
        item.path.every((header) => typeof header === 'string'),
    )
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
