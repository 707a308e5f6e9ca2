import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblem, type Problem } from '../core/problem.ts';
import {
  documentsOf,
  parseManifestText,
  readManifest,
  type ManifestDocument,
  type ManifestVersion,
} from './manifest.ts';

interface Version {
  readonly version: ManifestVersion<unknown>;
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly Problem[];
}

function parse(text: string, previous?: Version): Version {
  const version = readManifest({
    text,
    file: 'm.yaml',
    previous: previous?.version,
    interpret: ({ value }) => value,
  });
  return { version, documents: documentsOf(version), problems: version.problems };
}

function valuesOf({ version }: Version): readonly unknown[] {
  return version.values;
}

describe('documents', () => {
  test.each([
    { name: 'nothing', text: '', want: [] },
    { name: 'comments alone', text: '# a\n\n# b\n', want: [] },
    { name: 'empty documents', text: '---\n---\n# c\n---\nnull\n...\n', want: [] },
    { name: 'one', text: 'a: 1\n', want: [[{ a: 1 }, 1]] },
    {
      name: 'lines count from the first content',
      text: '# c\n---\n# d\na: 1\n---\n\nb: 2\n',
      want: [
        [{ a: 1 }, 4],
        [{ b: 2 }, 7],
      ],
    },
    {
      name: 'content on the marker line',
      text: 'a: 1\n--- {b: 2}\n--- |\n  x\n',
      want: [
        [{ a: 1 }, 1],
        [{ b: 2 }, 2],
        ['x\n', 3],
      ],
    },
    { name: 'directives', text: '%YAML 1.1\n---\na: 1\n', want: [[{ a: 1 }, 3]] },
    {
      name: 'carriage returns',
      text: 'a: 1\r\n---\r\nb: 2\r\n',
      want: [
        [{ a: 1 }, 1],
        [{ b: 2 }, 3],
      ],
    },
    { name: 'JSON', text: '{\n\t"a": [1,\t"x"]\n}\n', want: [[{ a: [1, 'x'] }, 1]] },
    { name: 'a hostile key', text: '__proto__: {x: 1}\n', want: [[JSON.parse('{"__proto__":{"x":1}}'), 1]] },
  ])('$name', ({ text, want }) => {
    const { documents, problems } = parse(text);
    expect(documents.map(({ value, line }) => [value, line])).toEqual(want);
    expect(problems).toEqual([]);
  });

  test('a hostile key does not reach the prototype', () => {
    const [value] = valuesOf(parse('__proto__: {polluted: 1}\n'));
    expect((value as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('faults', () => {
  test.each([
    {
      name: 'a duplicate key',
      text: 'a: 1\na: 2\n',
      want: /^not valid YAML: duplicated mapping key \(m\.yaml:2:1\)$/,
    },
    {
      name: 'in a later document',
      text: 'a: 1\n---\nb:\n - x\n  - : [\n',
      want: /^not valid YAML: .* \(m\.yaml:5:\d+\)$/,
    },
    { name: 'an unknown tag', text: 'a: !secret x\n', want: /unknown scalar tag .* \(m\.yaml:1:4\)$/ },
    { name: 'an unfinished list', text: 'a: [1,\n', want: /\(m\.yaml:2:1\)$/ },
    { name: 'a control character', text: 'a: "\u0001"\n', want: /\(m\.yaml:1:5\)$/ },
    { name: 'deep nesting', text: '['.repeat(1000), want: /nesting/ },
    { name: 'an alias of nothing', text: 'a: *b\n', want: /alias "b" \(m\.yaml:1:\d+\)$/ },
    {
      name: 'an anchor inside itself',
      text: 'x: 1\n---\na: &a [*a]\n',
      want: /contains an alias of itself \(m\.yaml:3:1\)$/,
    },
  ])('$name', ({ text, want }) => {
    const { problems } = parse(text);
    expect(problems.map(formatProblem)).toEqual([expect.stringMatching(want)]);
    expect(problems[0]).toMatchObject({ reason: 'InvalidSyntax', severity: 'error', transient: false });
  });

  test('the documents beside a broken one are there', () => {
    const { documents, problems } = parse('a: 1\n---\nb: [\n---\nc: 3\n');
    expect(documents.map(({ value, line }) => [value, line])).toEqual([
      [{ a: 1 }, 1],
      [{ c: 3 }, 5],
    ]);
    expect(problems).toHaveLength(1);
  });

  test('aliases that multiply are refused without being expanded', () => {
    const levels = Array.from({ length: 30 }, (_, index) =>
      index === 0
        ? 'a0: &a0 [x, x]'
        : `a${index}: &a${index} [${Array(9)
            .fill(`*a${index - 1}`)
            .join(', ')}]`,
    );
    expect(parse(levels.join('\n')).problems.map(formatProblem)).toEqual([
      'not valid YAML: aliases expand to more than a million values (m.yaml:1:1)',
    ]);
  });

  test('a long text behind many aliases counts with its length', () => {
    const text = `a: &a ${'x'.repeat(1_000_000)}\nb: [${Array(100).fill('*a').join(', ')}]\n`;
    expect(parse(text).problems).toHaveLength(1);
  });

  test('a chain of aliases is refused for its depth, without a stack overflow', () => {
    const levels = Array.from({ length: 5_000 }, (_, index) =>
      index === 0 ? 'a0: &a0 []' : `a${index}: &a${index} [*a${index - 1}]`,
    );
    expect(parse(levels.join('\n')).problems.map(formatProblem)).toEqual([
      'not valid YAML: aliases nest deeper than 100 levels (m.yaml:1:1)',
    ]);
  });

  test('ordinary aliases are fine', () => {
    const { documents, problems } = parse('a: &a {x: 1}\nb: *a\n');
    expect(problems).toEqual([]);
    expect(documents[0]?.value).toEqual({ a: { x: 1 }, b: { x: 1 } });
  });
});

describe('a new version of the same file', () => {
  const first = parse('a: 1\n---\nb: 2\n---\nc: 3\n');

  test.each([
    { name: 'one more at the end', text: 'a: 1\n---\nb: 2\n---\nc: 3\n---\nd: 4\n', kept: [0, 1, 2, -1] },
    { name: 'one more between', text: 'a: 1\n---\nx: 0\n---\nb: 2\n---\nc: 3\n', kept: [0, -1, 1, 2] },
    { name: 'one less', text: 'a: 1\n---\nc: 3\n', kept: [0, 2] },
    { name: 'one changed', text: 'a: 1\n---\nb: 3\n---\nc: 3\n', kept: [0, -1, 2] },
    { name: 'two exchanged', text: 'a: 1\n---\nc: 3\n---\nb: 2\n', kept: [0, 2, 1] },
    { name: 'nothing left', text: '', kept: [] },
  ])('$name', ({ text, kept }) => {
    const next = parse(text, first);
    expect(valuesOf(next).map((value) => valuesOf(first).indexOf(value))).toEqual(kept);
    expect(valuesOf(next)).toEqual(valuesOf(parse(text)));
  });

  test('lines move with the text above', () => {
    const next = parse('# one\n# two\na: 1\n---\nb: 2\n---\nc: 3\n', first);
    expect(next.documents.map(({ line }) => line)).toEqual([3, 5, 7]);
    expect(next.documents[1]?.value).toBe(first.documents[1]?.value);
  });

  test('a fault moves with the text above', () => {
    const before = parse('a: 1\n---\nb: [\n---\nc: 3\n');
    const next = parse('a: 1\nx: 2\n---\nb: [\n---\nc: 3\n', before);
    expect(next.problems[0]?.position?.line).toBe((before.problems[0]?.position?.line ?? 0) + 1);
  });

  test('one of several equal documents less', () => {
    const before = parse('a: 1\n---\na: 1\n---\na: 1\n');
    expect(valuesOf(parse('a: 1\n---\na: 1\n', before))).toEqual([{ a: 1 }, { a: 1 }]);
    expect(valuesOf(parse('---\na: 1\n---\na: 1\n---\na: 1\n', before))).toHaveLength(3);
  });

  test.each([
    {
      name: 'directives put before a document',
      before: 'a: 1\n---\nb: 2\n',
      after: 'a: 1\n...\n%YAML 1.1\n---\nb: 2\n',
    },
    {
      name: 'a document put behind directives',
      before: 'a: 1\n...\n%YAML 1.1\n',
      after: 'a: 1\n...\n%YAML 1.1\n---\nb: 2\n',
    },
    { name: 'a marker taken away', before: 'a: 1\n---\nb: 2\n---\nc: 3\n', after: 'a: 1\nb: 2\n---\nc: 3\n' },
    { name: 'a marker made longer', before: 'a: 1\n---\nb: 2\n', after: 'a: 1\n---b: 2\n' },
    { name: 'a document made longer', before: 'a: 1\n---\nb: 2\n', after: 'a: 1\nx: 1\n---\nb: 2\n' },
    { name: 'nothing before', before: '', after: 'a: 1\n' },
  ])('$name gives what a fresh look gives', ({ before, after }) => {
    expect(parse(after, parse(before)).version).toEqual(parse(after).version);
  });

  const piece = fc.constantFrom(
    'a: 1\n',
    'b: [1,\n',
    '# c\n',
    '',
    'd: {e: 2}\n',
    'f: |\n  x\n',
    '%YAML 1.1\n',
    'g: 1\n...\n',
    '...\n%YAML 1.1\n',
    'a: 1\n',
  );
  const stream = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('---\n'));

  test('parses to the same as without the version before', () => {
    fc.assert(
      fc.property(stream, stream, (before, after) => {
        const reused = parse(after, parse(before));
        const fresh = parse(after);
        expect(reused.documents).toEqual(fresh.documents);
        expect(reused.version).toEqual(fresh.version);
        expect(parseManifestText({ text: after, file: 'm.yaml' }).documents).toEqual(fresh.documents);
        expect(reused.problems).toEqual(fresh.problems);
      }),
    );
  });
});
