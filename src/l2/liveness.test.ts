import { describe, expect, test } from 'vitest';
import {
  healthOf,
  MISSES_TO_SILENCE,
  NO_EVIDENCE,
  withAnswer,
  withBfd,
  withMiss,
  withoutWatch,
  type Evidence,
} from './liveness.ts';

type Step = 'up' | 'down' | 'answer' | 'miss';

/** One thing after the other, a millisecond apart. */
function after(...steps: readonly Step[]): Evidence {
  return steps.reduce((evidence: Evidence, step, index) => {
    const now = index + 1;
    if (step === 'answer') return withAnswer(evidence, now);
    return step === 'miss' ? withMiss(evidence) : withBfd(evidence, step === 'up', now);
  }, NO_EVIDENCE);
}

describe('a node is', () => {
  test.each<readonly [string, readonly Step[], ReturnType<typeof healthOf>]>([
    ['well when nothing is known', [], 'well'],
    ['well when BFD has it', ['up'], 'well'],
    ['well when its session never came up: it may not know of it yet', ['down'], 'well'],
    ['well when it has missed a question or two', ['miss', 'miss'], 'well'],
    ['lost when BFD has lost it', ['up', 'down'], 'lost'],
    ['lost when BFD has lost it, whatever it answered before', ['up', 'answer', 'down'], 'lost'],
    ['well when it answers after BFD has lost it: only its FRR is away', ['up', 'down', 'answer'], 'well'],
    ['well again when BFD has it again', ['up', 'down', 'up'], 'well'],
    ['silent when it does not answer although BFD has it', ['up', 'miss', 'miss', 'miss'], 'silent'],
    ['silent when it does not answer and BFD knows nothing', ['miss', 'miss', 'miss'], 'silent'],
    [
      'well when it answers between: misses count in a row',
      ['miss', 'miss', 'answer', 'miss', 'miss'],
      'well',
    ],
    ['well when it answers again', ['miss', 'miss', 'miss', 'answer'], 'well'],
    ['lost when neither BFD nor an answer is there', ['up', 'miss', 'miss', 'miss', 'down'], 'lost'],
    [
      'lost when it answered after BFD had lost it, and then no more',
      ['up', 'down', 'answer', 'miss', 'miss', 'miss'],
      'lost',
    ],
    ['silent when BFD comes back before its speaker', ['up', 'miss', 'miss', 'miss', 'down', 'up'], 'silent'],
  ])('%s', (_, steps, want) => {
    expect(healthOf(after(...steps))).toBe(want);
  });
});

test('what is said again changes nothing', () => {
  const up = after('up');
  expect(withBfd(up, true, 9)).toBe(up);
  const down = after('up', 'down');
  expect(withBfd(down, false, 9)).toBe(down);
  expect(down).toMatchObject({ bfd: 'down', bfdSince: 2 });
});

test('misses stop counting where they say enough', () => {
  expect(after('miss', 'miss', 'miss', 'miss', 'miss').missed).toBe(MISSES_TO_SILENCE);
});

describe('of a node that is no longer watched', () => {
  const dark = after('up', 'miss', 'miss', 'miss', 'down');
  test.each([
    ['all stays with a session and questions', true, true, 'lost'],
    ['what BFD said goes with the session', false, true, 'silent'],
    ['what it missed goes with the questions', true, false, 'lost'],
    ['nothing speaks against it without both', false, false, 'well'],
  ] as const)('%s', (_, hasSession, isAsked, want) => {
    expect(healthOf(withoutWatch(dark, { hasSession, isAsked }))).toBe(want);
  });

  test('what was known of it stays the same object when nothing goes', () => {
    expect(withoutWatch(dark, { hasSession: true, isAsked: true })).toBe(dark);
    expect(withoutWatch(NO_EVIDENCE, { hasSession: false, isAsked: false })).toBe(NO_EVIDENCE);
  });
});
