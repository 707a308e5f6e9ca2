import { describe, expect, test } from 'vitest';
import {
  folderCycles,
  folderOf,
  forbiddenTexts,
  impureImports,
  innerImports,
  missingIndexes,
} from './rules.ts';
import { importsOf, projectFiles, textOf, type ImportEdge } from './sources.ts';

const files = projectFiles();
const sources = new Map(
  files.filter((path) => /^src\/.*\.ts$/.test(path)).map((path) => [path, textOf(path)] as const),
);
const edges = [...sources].flatMap(([path, text]) => importsOf(path, text));

describe('the sources', () => {
  test('are found', () => {
    expect(edges.filter(({ from }) => folderOf(from) === 'reconciler')).not.toEqual([]);
  });

  test('pure folders import only pure folders and pure libraries', () => {
    expect(impureImports(edges)).toEqual([]);
  });

  test('a folder is imported by its index.ts', () => {
    expect(innerImports(edges)).toEqual([]);
  });

  test('folders do not import each other in a circle', () => {
    expect(folderCycles(edges)).toEqual([]);
  });

  test('every folder says what it is for', () => {
    expect(missingIndexes(sources)).toEqual([]);
  });

  test('imports end in .ts and exist', () => {
    const missing = edges.filter(({ to }) => to.kind === 'file' && !files.includes(to.path));
    expect(missing.map(({ from, line, to }) => `${from}:${line} imports ${JSON.stringify(to)}`)).toEqual([]);
  });
});

test('no file has what must not be committed', () => {
  expect(files).toContain('package-lock.json');
  const isText = (path: string): boolean => !/\.(?:png|ico|gz|zip|pcap)$/.test(path);
  expect(files.filter(isText).flatMap((path) => forbiddenTexts(path, textOf(path)))).toEqual([]);
});

// The rules themselves, on sources that break them.

function edgesOf(sources: Readonly<Record<string, string>>): ImportEdge[] {
  return Object.entries(sources).flatMap(([path, text]) => importsOf(path, text));
}

describe('the rules notice', () => {
  test.each([
    [
      "import { readFile } from 'node:fs/promises';",
      'src/config/a.ts:1 imports node:fs/promises: src/config/ is pure',
    ],
    ["\nimport type { Logger } from 'pino';", 'src/config/a.ts:2 imports pino'],
    ["export * from '../frr-vty/index.ts';", 'src/config/a.ts:1 imports src/frr-vty/index.ts'],
    ["const x = await import('../lab/index.ts');", 'src/config/a.ts:1 imports src/lab/index.ts'],
    ["type X = import('execa').Options;", 'src/config/a.ts:1 imports execa'],
    ["import '../../bench/x.ts';", 'src/config/a.ts:1 imports bench/x.ts'],
  ])('an impure import: %s', (text, fault) => {
    expect(impureImports(edgesOf({ 'src/config/a.ts': text }))).toEqual([expect.stringContaining(fault)]);
    expect(impureImports(edgesOf({ 'src/config/a.test.ts': text, 'src/cli/a.ts': text }))).toEqual([]);
  });

  test('a pure import is fine', () => {
    const text =
      "import { z } from 'zod';\nimport { a } from '../core/ip.ts';\nimport { b } from '../api/index.ts';";
    expect(impureImports(edgesOf({ 'src/config/a.ts': text }))).toEqual([]);
  });

  test("an import of another folder's inner file", () => {
    const inner = edgesOf({ 'src/cli/a.ts': "import { b } from '../config/pools.ts';" });
    expect(innerImports(inner)).toEqual([
      'src/cli/a.ts:1 imports src/config/pools.ts: import from src/config/index.ts, and re-export there what src/cli/ needs',
    ]);
    const allowed = edgesOf({
      'src/cli/a.ts':
        "import '../config/index.ts'; import '../core/ip.ts'; import './b.ts'; import '../lab/frr/index.ts';",
      'src/lab/frr/b.ts': "import '../netns.ts';",
    });
    expect(innerImports(allowed)).toEqual([]);
  });

  test('a circle of folders, also one of types', () => {
    const circle = edgesOf({
      'src/a/index.ts': "import '../b/index.ts';",
      'src/b/index.ts': "import '../core/ip.ts';\nimport type { C } from '../c/index.ts';",
      'src/c/index.ts': "export * from '../a/index.ts';",
      'src/d/index.ts': "import '../a/index.ts';",
    });
    expect(folderCycles(circle)).toEqual([
      expect.stringMatching(
        /src\/a\/index\.ts:1 .*src\/b\/index\.ts:2 .*src\/c\/index\.ts:1 imports src\/a\/index\.ts/,
      ),
    ]);
  });

  test('a folder without an index, and one whose index does not say what it is', () => {
    const found = missingIndexes(
      new Map([
        ['src/a/x.ts', ''],
        ['src/b/index.ts', "export * from './y.ts';"],
        ['src/c/index.ts', '/** Decides. */'],
        ['src/d/index.ts', '/**\n * Decides.\n */'],
        ['src/core/ip.ts', ''],
      ]),
    );
    expect(found).toEqual([
      expect.stringContaining('src/a/index.ts is missing'),
      expect.stringContaining('src/b/index.ts does not begin with a comment'),
    ]);
  });

  test.each([
    ['// ' + 'TO' + 'DO: later', 'do it now'],
    ['/* ' + 'FIX' + 'ME */', 'do it now'],
    ['fetch("https://' + 'registry.example.com/x")', 'name no registry'],
    ['"https://' + 'npm.corp.example/x"', 'name no registry'],
    ['{\n  "resolved": "file:x"\n}', 'a lock file must not say'],
  ])('a text that must not be committed: %s', (text, advice) => {
    expect(forbiddenTexts('a', `\n${text}`)).toEqual([expect.stringContaining(advice)]);
  });

  test('harmless texts are fine', () => {
    expect(forbiddenTexts('a', 'to do; https://www.rfc-editor.org/rfc/rfc4271; a registry; npm ci')).toEqual(
      [],
    );
  });
});
