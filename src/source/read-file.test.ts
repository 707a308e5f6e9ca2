import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import { isUnchanged, readFile, statIfThere } from './read-file.ts';

const folder = await tempDir();
const LIMIT = 1_000;

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('readFile', () => {
  test('gives the bytes', () => {
    const read = readFile(file('a.yaml', 'a: 1\n'), LIMIT);
    expect(read).toMatchObject({ kind: 'bytes', stamp: { size: 5n } });
    expect(read.kind === 'bytes' && read.bytes.toString()).toBe('a: 1\n');
  });

  test('follows links', () => {
    symlinkSync(file('target.yaml', 'x: 1\n'), join(folder, 'link.yaml'));
    expect(readFile(join(folder, 'link.yaml'), LIMIT)).toMatchObject({ kind: 'bytes' });
  });

  test('an empty file', () => {
    expect(readFile(file('empty.yaml', ''), LIMIT)).toMatchObject({ kind: 'bytes', stamp: { size: 0n } });
  });

  test.each([
    { name: 'nothing', path: () => join(folder, 'none.yaml') },
    {
      name: 'a link to nothing',
      path: () => (symlinkSync('none', join(folder, 'lost.yaml')), join(folder, 'lost.yaml')),
    },
    { name: 'something inside a file', path: () => join(file('b.yaml', ''), 'c.yaml') },
  ])('missing: $name', ({ path }) => {
    expect(readFile(path(), LIMIT)).toEqual({ kind: 'missing' });
  });

  test('a folder is no file', () => {
    mkdirSync(join(folder, 'folder.yaml'));
    expect(readFile(join(folder, 'folder.yaml'), LIMIT)).toMatchObject({
      kind: 'unreadable',
      message: expect.stringContaining('not a regular file') as string,
    });
  });

  test('a FIFO is refused, not waited for', () => {
    const path = join(folder, 'fifo.yaml');
    execFileSync('mkfifo', [path]);
    expect(readFile(path, LIMIT)).toMatchObject({ kind: 'unreadable' });
  });

  test('too large', () => {
    expect(readFile(file('large.yaml', 'x'.repeat(LIMIT + 1)), LIMIT)).toEqual({
      kind: 'unreadable',
      message: 'file of 1001 bytes: must have at most 1000 bytes',
    });
    expect(readFile(file('limit.yaml', 'x'.repeat(LIMIT)), LIMIT).kind).toBe('bytes');
  });
});

describe('isUnchanged', () => {
  function readAt(path: string, modified: Date): Parameters<typeof isUnchanged>[1] {
    utimesSync(path, modified, modified);
    const read = readFile(path, LIMIT);
    if (read.kind !== 'bytes') throw new Error(read.kind);
    return read.stamp;
  }
  const longAgo = new Date(Date.now() - 60_000);

  test('true while nothing happens', () => {
    const path = file('same.yaml', 'a');
    expect(isUnchanged(path, readAt(path, longAgo))).toBe(true);
  });

  test('a file modified just before it was read may have been modified since', () => {
    const path = file('fresh.yaml', 'a');
    expect(isUnchanged(path, readAt(path, new Date()))).toBe(false);
  });

  test.each([
    {
      name: 'another size',
      change: (path: string) => {
        writeFileSync(path, 'ab');
        utimesSync(path, longAgo, longAgo);
      },
    },
    {
      name: 'another time',
      change: (path: string) => {
        utimesSync(path, longAgo, new Date(longAgo.getTime() + 1));
      },
    },
    {
      name: 'another file',
      change: (path: string) => {
        execFileSync('sh', ['-c', `cp -p "$1" "$1.new" && mv "$1.new" "$1"`, 'sh', path]);
      },
    },
    {
      name: 'no file',
      change: (path: string) => {
        execFileSync('rm', [path]);
      },
    },
  ])('false: $name', ({ name, change }) => {
    const path = file(`${name.replace(' ', '-')}.yaml`, 'a');
    const stamp = readAt(path, longAgo);
    change(path);
    expect(isUnchanged(path, stamp)).toBe(false);
  });
});

test('statIfThere gives nothing for what cannot be seen', () => {
  expect(statIfThere(join(folder, 'none'))).toBeUndefined();
  expect(statIfThere(join(file('c.yaml', ''), 'below'))).toBeUndefined();
});
