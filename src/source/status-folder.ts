import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { dump, DUMP_SCHEMA, type ScalarTagDefinition, type TagDefinition } from 'js-yaml';

/** As js-yaml writes numbers, and bigint too: counters of IPAddressPools are int64. */
const STATUS_SCHEMA = DUMP_SCHEMA.withTags(DUMP_SCHEMA.tags.filter(isIntegerTag).map(withBigints));

function isIntegerTag(tag: TagDefinition): tag is ScalarTagDefinition {
  return tag.nodeKind === 'scalar' && tag.tagName === 'tag:yaml.org,2002:int';
}

function withBigints(tag: ScalarTagDefinition): ScalarTagDefinition {
  const identify = (value: unknown): boolean => typeof value === 'bigint' || tag.identify(value);
  return { ...tag, identify, represent: String };
}

/** The folder for what we say about the objects, beside what users say. Hidden, so no source takes it for manifests. */
export const STATUS_FOLDER = '.status';
/** Inside the status folder, so that a rename is atomic, and not watched by those who read statuses. */
const TEMPORARY_FOLDER = '.tmp';

const WRITTEN_BY_US = '# Written by metallb-frr. Edits are overwritten.\n';

/** Where the statuses of a source are: in the folder, or beside the file when the source is one file. */
export function statusFolderOf(source: string): string {
  const isFolder = statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true;
  return join(isFolder ? source : dirname(source), STATUS_FOLDER);
}

/**
 * Replaces a file of the status folder in one step: a reader sees the old text or the new one, never a part.
 * Makes the folder when it is not there, with a `.gitignore`, so that statuses do not end up in a repository.
 * Synchronous: one small file takes 0.2 ms on ext4 and less on tmpfs, and its readers wait for it.
 * @throws the error of the file system
 */
export function writeStatusFile(folder: string, name: string, text: string): void {
  const temporary = join(folder, TEMPORARY_FOLDER, `${name}.${process.pid}`);
  try {
    writeFileSync(temporary, statusFileText(text));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    prepareStatusFolder(folder);
    writeFileSync(temporary, statusFileText(text));
  }
  renameSync(temporary, join(folder, name));
}

/** A file's whole text as {@link writeStatusFile} writes it. */
export function statusFileText(text: string): string {
  return WRITTEN_BY_US + text;
}

/** As {@link writeStatusFile}, with objects as YAML documents. */
export function writeStatusObjects(folder: string, name: string, objects: readonly object[]): void {
  writeStatusFile(folder, name, renderYaml(objects));
}

export function removeStatusFile(folder: string, name: string): void {
  rmSync(join(folder, name), { force: true });
}

/** Objects as a YAML stream, one document each. */
export function renderYaml(objects: readonly object[]): string {
  return objects
    .map((object) => `---\n${dump(object, { noRefs: true, lineWidth: 120, schema: STATUS_SCHEMA })}`)
    .join('');
}

/** Makes the status folder. The source itself is never made: where it is away, something is wrong. */
export function prepareStatusFolder(folder: string): void {
  for (const path of [folder, join(folder, TEMPORARY_FOLDER)]) {
    try {
      mkdirSync(path);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
  if (basename(folder) === STATUS_FOLDER) writeFileSync(join(folder, '.gitignore'), '*\n');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
