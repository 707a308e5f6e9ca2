import { expect, test } from 'vitest';
import { createInterning } from './interned.ts';

test('what is written the same is one object', () => {
  const interned = createInterning<{ readonly node: string }>(2);
  const first = interned('n1', () => ({ node: 'n1' }));
  expect(interned('n1', () => ({ node: 'n1' }))).toBe(first);
  expect(interned('n2', () => ({ node: 'n2' }))).toEqual({ node: 'n2' });
});

test('no more than so many are known', () => {
  const interned = createInterning<{ readonly node: string }>(2);
  const first = interned('n1', () => ({ node: 'n1' }));
  interned('n2', () => ({ node: 'n2' }));
  interned('n3', () => ({ node: 'n3' }));
  expect(interned('n1', () => ({ node: 'n1' }))).not.toBe(first);
});
