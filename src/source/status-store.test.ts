import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import type { ServiceStatus } from './service-status.ts';
import { isStatusFileName, statusFileNameFor } from './status-files.ts';
import { statusFolderOf, writeStatusFile, writeStatusObjects } from './status-folder.ts';
import { StatusReader } from './status-reader.ts';
import { StatusStore } from './status-store.ts';

const GONE_MS = 100;

function status(name: string, ip = '192.0.2.1'): ServiceStatus {
  return { namespace: 'default', name, ingress: [ip], pool: 'first' };
}

const many = Array.from({ length: 200 }, (_, index) => status(`web-${index}`, `192.0.2.${index}`));

async function newFolder(): Promise<string> {
  return join(await tempDir(), '.status');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort();
}

describe('StatusStore', () => {
  test('is found again by the next run', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    expect(store.load()).toEqual([]);
    for (const each of many) store.set(each);
    store.flush();
    const next = new StatusStore(folder);
    expect(next.load()).toEqual([]);
    expect(next.all()).toEqual(store.all());
    expect(next.get({ namespace: 'default', name: 'web-7' })).toEqual(many[7]);
    expect(next.get({ namespace: 'default', name: 'none' })).toBeUndefined();
    expect(next.flush()).toBe(0);
  });

  test('writes only what changed', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    for (const each of many) store.set(each);
    expect(store.flush()).toBeGreaterThan(10);
    store.set({ ...many[3]! });
    expect(store.flush()).toBe(0);
    store.set(status('web-3', '198.51.100.3'));
    expect(store.flush()).toBe(1);
    store.remove({ namespace: 'default', name: 'none' });
    expect(store.flush()).toBe(0);
  });

  test('a file without statuses goes', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    store.set(status('web'));
    store.flush();
    expect(filesIn(folder)).toHaveLength(1);
    store.remove(status('web'));
    store.flush();
    expect(filesIn(folder)).toEqual([]);
  });

  test('puts back what somebody deleted or changed', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    store.set(status('web'));
    store.flush();
    const [name = ''] = filesIn(folder);
    const text = readFileSync(join(folder, name), 'utf8');
    expect(store.checkFiles()).toEqual([]);
    // Another one with the same content is as good.
    writeFileSync(join(folder, 'copy'), text);
    renameSync(join(folder, 'copy'), join(folder, name));
    expect(store.checkFiles()).toEqual([]);
    expect(store.flush()).toBe(0);
    for (const harm of [
      () => {
        writeFileSync(join(folder, name), 'mine');
      },
      () => {
        rmSync(join(folder, name));
      },
      () => {
        rmSync(folder, { recursive: true });
      },
    ]) {
      harm();
      expect(store.checkFiles()).toEqual([name]);
      expect(store.flush()).toBe(1);
      expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
    }
  });

  test('statuses in other files are moved to where they belong', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    for (const each of many) store.set(each);
    store.flush();
    const [name = ''] = filesIn(folder);
    // As a version with another number of files left them.
    renameSync(join(folder, name), join(folder, 'services-ff.yaml'));
    const next = new StatusStore(folder);
    next.load();
    next.flush();
    expect(filesIn(folder)).toContain(name);
    expect(filesIn(folder)).not.toContain('services-ff.yaml');
    const last = new StatusStore(folder);
    last.load();
    expect(last.all()).toEqual(store.all());
  });

  test('a file that cannot be read is a problem, and the others are read', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    for (const each of many) store.set(each);
    store.flush();
    const [name = ''] = filesIn(folder);
    writeFileSync(join(folder, name), '---\na: [\n');
    const next = new StatusStore(folder);
    expect(next.load()).toMatchObject([{ reason: 'FileUnreadable', position: { file: join(folder, name) } }]);
    expect(next.all().length).toBeGreaterThan(150);
  });

  test('a write that fails is made up for', async () => {
    const folder = await newFolder();
    writeFileSync(folder, 'in the way');
    const store = new StatusStore(folder);
    store.set(status('web'));
    expect(() => store.flush()).toThrow();
    rmSync(folder);
    expect(store.flush()).toBe(1);
    expect(filesIn(folder)).toHaveLength(1);
  });
});

describe('StatusReader', () => {
  const names = (statuses: readonly ServiceStatus[]): string[] => statuses.map(({ name }) => name).sort();

  test('tells which Services changed', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    const reader = new StatusReader({ folder, goneMs: GONE_MS });
    expect(reader.refresh('all', 0)).toEqual([]);
    store.set(status('a'));
    store.set(status('b'));
    store.flush();
    expect(names(reader.refresh('all', 0))).toEqual(['a', 'b']);
    expect(reader.get(status('a'))).toEqual(status('a'));
    expect(reader.refresh('all', 0)).toEqual([]);
    store.set(status('b', '198.51.100.1'));
    store.flush();
    expect(reader.refresh(new Set([statusFileNameFor(status('a'))]), 0)).toEqual([]);
    expect(names(reader.refresh(new Set([statusFileNameFor(status('b'))]), 0))).toEqual(['b']);
  });

  test('one of several in a file removed', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    const [first, second] = many.filter((each) => statusFileNameFor(each) === statusFileNameFor(many[0]!));
    const reader = new StatusReader({ folder, goneMs: GONE_MS });
    store.set(first!);
    store.set(second!);
    store.flush();
    reader.refresh('all', 0);
    // Read again with equal statuses first: those are other objects.
    store.set({ ...first!, pool: 'other' });
    store.flush();
    reader.refresh('all', 0);
    store.remove(second!);
    store.flush();
    expect(names(reader.refresh('all', 0))).toEqual([second!.name]);
    expect(reader.get(second!)).toBeUndefined();
    expect(reader.get(first!)).toMatchObject({ pool: 'other' });
  });

  test('waits for a deleted file to come back', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    store.set(status('a'));
    store.flush();
    const reader = new StatusReader({ folder, goneMs: GONE_MS });
    reader.refresh('all', 0);
    rmSync(folder, { recursive: true });
    expect(reader.refresh('all', 1_000)).toEqual([]);
    expect(reader.nextCheckAt).toBe(1_100);
    expect(reader.get(status('a'))).toEqual(status('a'));
    store.checkFiles();
    store.flush();
    expect(reader.refresh('all', 1_050)).toEqual([]);
    expect(reader.nextCheckAt).toBeUndefined();
    rmSync(folder, { recursive: true });
    reader.refresh('all', 2_000);
    expect(names(reader.refresh(new Set(), 2_100))).toEqual(['a']);
    expect(reader.get(status('a'))).toBeUndefined();
  });

  test('keeps what a file said before it was broken', async () => {
    const folder = await newFolder();
    const store = new StatusStore(folder);
    store.set(status('a'));
    store.flush();
    const reader = new StatusReader({ folder, goneMs: GONE_MS });
    reader.refresh('all', 0);
    writeFileSync(join(folder, statusFileNameFor(status('a'))), 'x: [');
    expect(reader.refresh('all', 0)).toEqual([]);
    expect(reader.get(status('a'))).toEqual(status('a'));
    expect(reader.problems).toMatchObject([{ reason: 'FileUnreadable' }]);
    store.checkFiles();
    store.flush();
    reader.refresh('all', 0);
    expect(reader.problems).toEqual([]);
  });

  test('a folder that is none is a problem', async () => {
    const folder = await newFolder();
    writeFileSync(folder, '');
    const reader = new StatusReader({ folder, goneMs: GONE_MS });
    expect(reader.refresh('all', 0)).toEqual([]);
    expect(reader.problems).toMatchObject([{ reason: 'FileUnreadable' }]);
  });
});

describe('the status folder', () => {
  test('is made when needed, and kept out of repositories', async () => {
    const folder = await newFolder();
    writeStatusFile(folder, 'x.yaml', 'a: 1\n');
    expect(readFileSync(join(folder, 'x.yaml'), 'utf8')).toMatch(/^# Written by .*\na: 1\n$/);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('is not made where its parent is missing', async () => {
    const folder = join(await tempDir(), 'away', '.status');
    expect(() => {
      writeStatusFile(folder, 'x.yaml', 'a: 1\n');
    }).toThrow('ENOENT');
  });

  test('a file is replaced, not rewritten', async () => {
    const folder = await newFolder();
    writeStatusFile(folder, 'x.yaml', 'a: 1\n');
    const { ino } = statSync(join(folder, 'x.yaml'));
    writeStatusFile(folder, 'x.yaml', 'a: 2\n');
    expect(statSync(join(folder, 'x.yaml')).ino).not.toBe(ino);
    expect(readdirSync(join(folder, '.tmp'))).toEqual([]);
  });

  test('objects keep 64-bit numbers', async () => {
    const folder = await newFolder();
    writeStatusObjects(folder, 'x.yaml', [{ a: 9223372036854775807n, b: '12', c: undefined }, { d: 1 }]);
    expect(readFileSync(join(folder, 'x.yaml'), 'utf8')).toMatch(
      /---\na: 9223372036854775807\nb: '12'\n---\nd: 1\n$/,
    );
  });

  test('is in the folder, or beside the file', async () => {
    const root = await tempDir();
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'file.yaml'), '');
    expect(statusFolderOf(join(root, 'folder'))).toBe(join(root, 'folder', '.status'));
    expect(statusFolderOf(join(root, 'file.yaml'))).toBe(join(root, '.status'));
    expect(statusFolderOf(join(root, 'later'))).toBe(join(root, 'later', '.status'));
    expect(existsSync(join(root, 'later'))).toBe(false);
  });

  test('spreads Services evenly', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 6_400; index += 1) {
      const name = statusFileNameFor({ namespace: 'default', name: `svc-${index}` });
      expect(isStatusFileName(name)).toBe(true);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    expect(Math.max(...counts.values())).toBeLessThan(300);
  });
});
