import { expect, test } from 'vitest';
import { splitWords } from './words.ts';

test.each([
  { name: 'blanks', line: ' ip  addr\tadd 192.0.2.1/24 ', want: ['ip', 'addr', 'add', '192.0.2.1/24'] },
  { name: 'double quotes', line: 'vtysh -c "show ip route"', want: ['vtysh', '-c', 'show ip route'] },
  { name: 'single quotes', line: `sh -c 'echo "a b"'`, want: ['sh', '-c', 'echo "a b"'] },
  { name: 'quotes inside a word', line: `a"b c"'d e'f`, want: ['ab cd ef'] },
  { name: 'empty words', line: `a "" ''`, want: ['a', '', ''] },
  {
    name: 'backslashes',
    line: String.raw`a\ b "c\"d\\e\f" '\g'`,
    want: ['a b', String.raw`c"d\e\f`, String.raw`\g`],
  },
  { name: 'no shell', line: 'a | b; c > d', want: ['a', '|', 'b;', 'c', '>', 'd'] },
  { name: 'dollar sign', line: 'echo $$HOME "$$x"', want: ['echo', '$HOME', '$x'] },
])('splits $name', ({ line, want }) => {
  expect(splitWords(line)).toEqual({ ok: true, words: want });
});

test.each([
  { line: '', want: 'is empty' },
  { line: '  ', want: 'is empty' },
  { line: `echo 'a`, want: "has an unclosed '" },
  { line: 'echo "a\\"', want: 'has an unclosed "' },
  { line: 'echo a\\', want: 'ends with a backslash' },
  { line: 'echo $HOME', want: 'environment variable' },
  { line: `echo '$HOME'`, want: 'environment variable' },
  { line: 'echo $', want: 'environment variable' },
])('refuses $line', ({ line, want }) => {
  expect(splitWords(line)).toEqual({ ok: false, message: expect.stringContaining(want) as string });
});
