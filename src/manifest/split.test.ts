import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBlankPiece, splitDocuments } from './split.ts';

function piecesOf(text: string): string[] {
  const starts = splitDocuments(text);
  return starts.slice(1).map((end, index) => text.slice(starts[index], end));
}

describe('splitDocuments', () => {
  test.each([
    { name: 'nothing', text: '', want: [] },
    { name: 'one document without a marker', text: 'a: 1\n', want: ['a: 1\n'] },
    { name: 'a marker on the first line', text: '---\na: 1\n', want: ['---\na: 1\n'] },
    { name: 'two documents', text: 'a: 1\n---\nb: 2\n', want: ['a: 1\n', '---\nb: 2\n'] },
    { name: 'a marker as the last line', text: 'a: 1\n---', want: ['a: 1\n', '---'] },
    { name: 'content behind the marker', text: 'a: 1\n--- {b: 2}\n', want: ['a: 1\n', '--- {b: 2}\n'] },
    { name: 'longer words are no markers', text: '---a: 1\n----\n....\n', want: ['---a: 1\n----\n....\n'] },
    { name: 'an indented marker is text', text: 'a: |\n  ---\n  b\n', want: ['a: |\n  ---\n  b\n'] },
    { name: 'a marker ends a block scalar', text: 'a: |\n---\nb: 2\n', want: ['a: |\n', '---\nb: 2\n'] },
    { name: 'carriage returns', text: 'a: 1\r\n---\r\nb: 2\r\n', want: ['a: 1\r\n', '---\r\nb: 2\r\n'] },
    {
      name: 'the end marker belongs to its document',
      text: 'a: 1\n...\nb: 2\n',
      want: ['a: 1\n...\n', 'b: 2\n'],
    },
    {
      name: 'directives belong to the document behind them',
      text: 'a: 1\n...\n# c\n%YAML 1.1\n\n---\nb: 2\n',
      want: ['a: 1\n...\n', '# c\n%YAML 1.1\n\n---\nb: 2\n'],
    },
    {
      name: 'comments before a marker stand alone',
      text: '# c\n---\na: 1\n',
      want: ['# c\n', '---\na: 1\n'],
    },
    {
      name: 'a percent sign inside a document is no directive',
      text: 'a: 1\n%b\n---\nc: 3\n',
      want: ['a: 1\n%b\n', '---\nc: 3\n'],
    },
    { name: 'only markers', text: '---\n---\n...\n', want: ['---\n', '---\n...\n'] },
  ])('$name', ({ text, want }) => {
    expect(piecesOf(text)).toEqual(want);
  });

  const line = fc.oneof(
    fc.constantFrom('---', '...', '--- # c', '%YAML 1.1', '# c', '', 'a: 1', '  b: 2', '- x', '---x', '....'),
    fc.string({ maxLength: 8 }),
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 30 })
    .map((lines) => lines.map(([text, end]) => text + end).join(''));

  test('the pieces joined are the text, and none is empty', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const pieces = piecesOf(text);
        expect(pieces.join('')).toBe(text);
        expect(pieces.every((piece) => piece !== '')).toBe(true);
      }),
    );
  });

  test('every `---` line begins a piece or follows directives', () => {
    fc.assert(
      fc.property(stream, (text) => {
        for (const piece of piecesOf(text)) {
          const lines = piece.split('\n');
          const marker = lines.findIndex((each, index) => index > 0 && /^---(?:[ \t\r]|$)/.test(each));
          if (marker === -1) continue;
          const before = lines.slice(0, marker).filter((each) => !/^[ \t\r]*(?:#|$)/.test(each));
          expect(before.length).toBeGreaterThan(0);
          expect(before.every((each) => each.startsWith('%'))).toBe(true);
        }
      }),
    );
  });

  test('many end markers and no opening one take no longer than reading them', () => {
    const text = 'a: 1\n...\n'.repeat(50_000);
    expect(splitDocuments(text)).toHaveLength(50_001);
    expect(splitDocuments(`${'---\na: 1\n'.repeat(50_000)}...\n`)).toHaveLength(50_001);
  });
});

describe('isBlankPiece', () => {
  test.each([
    { text: '', want: true },
    { text: '---\n', want: true },
    { text: '--- # c\n\n  # d\r\n...\n', want: true },
    { text: '\t \n#', want: true },
    { text: '---\na\n', want: false },
    { text: '--- a\n', want: false },
    { text: '# c\n  -\n', want: false },
  ])('$text', ({ text, want }) => {
    expect(isBlankPiece(text)).toBe(want);
  });
});
