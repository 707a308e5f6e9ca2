import { expect, test } from 'vitest';
import { livesAt } from './written.ts';

const renewTime = '2026-01-02T03:04:05.000Z';
const at = Date.parse(renewTime);
const speaker = { record: { node: 'n1', links: [] }, isReleased: false, renewTime, heldMs: 8_000 };

test.each([
  { name: 'at once', ...speaker, now: at, want: true },
  { name: 'at the end of its time', ...speaker, now: at + 8_000, want: true },
  { name: 'after its time', ...speaker, now: at + 8_001, want: false },
  { name: 'by a clock that is ahead of ours', ...speaker, now: at - 60_000, want: true },
  { name: 'given back', ...speaker, isReleased: true, now: at, want: false },
  { name: 'never said', ...speaker, renewTime: '', now: at, want: false },
])('a speaker lives, $name: $want', ({ now, want, ...written }) => {
  expect(livesAt(written, now)).toBe(want);
});
