import { describe, expect, test } from 'vitest';
import { createHeartbeats, type Heartbeats } from './heartbeats.ts';

const beat = (version: string, isReleased = false) => ({ version, heldMs: 8_000, isReleased });

/** Judges every 500 ms from one time to another. */
function pass(heartbeats: Heartbeats, from: number, to: number, isFresh = true): void {
  for (let now = from; now <= to; now += 500) heartbeats.judge(now, isFresh);
}

describe('heartbeats', () => {
  test('hold from when they were first seen until their time is over, and again when renewed', () => {
    const heartbeats = createHeartbeats();
    expect(heartbeats.isHeld('n1')).toBe(false);
    heartbeats.see('n1', beat('a'), 1_000);
    pass(heartbeats, 1_000, 8_500);
    expect(heartbeats.isHeld('n1')).toBe(true);
    heartbeats.see('n1', beat('a'), 8_900); // read again, not renewed
    heartbeats.judge(9_000, true);
    expect(heartbeats.isHeld('n1')).toBe(false);
    heartbeats.see('n1', beat('b'), 9_100);
    expect(heartbeats.isHeld('n1')).toBe(true);
    pass(heartbeats, 9_500, 17_000);
    expect(heartbeats.isHeld('n1')).toBe(true);
    heartbeats.judge(17_100, true);
    expect(heartbeats.isHeld('n1')).toBe(false);
  });

  test('a release ends it at once; a renewal begins it anew', () => {
    const heartbeats = createHeartbeats();
    heartbeats.see('n1', beat('a'), 0);
    heartbeats.see('n1', beat('a', true), 10);
    expect(heartbeats.isHeld('n1')).toBe(false);
    heartbeats.judge(500, true);
    expect(heartbeats.isHeld('n1')).toBe(false);
    heartbeats.see('n1', beat('b'), 600);
    expect(heartbeats.isHeld('n1')).toBe(true);
  });

  test('while nothing can be read nobody dies, and afterwards each has its whole time again', () => {
    const heartbeats = createHeartbeats();
    heartbeats.see('n1', beat('a'), 0);
    pass(heartbeats, 0, 7_500);
    pass(heartbeats, 8_000, 60_000, false);
    expect(heartbeats.isHeld('n1')).toBe(true);
    pass(heartbeats, 60_500, 67_500);
    expect(heartbeats.isHeld('n1')).toBe(true);
    heartbeats.judge(68_000, true);
    expect(heartbeats.isHeld('n1')).toBe(false);
  });

  test('who was dead before stays so while nothing can be read', () => {
    const heartbeats = createHeartbeats();
    heartbeats.see('n1', beat('a'), 0);
    pass(heartbeats, 0, 8_000);
    pass(heartbeats, 8_500, 9_000, false);
    expect(heartbeats.isHeld('n1')).toBe(false);
  });

  test('a process that stood still takes nobody for dead', () => {
    const heartbeats = createHeartbeats();
    heartbeats.see('n1', beat('a'), 0);
    pass(heartbeats, 0, 1_000);
    heartbeats.judge(31_000, true);
    expect(heartbeats.isHeld('n1')).toBe(true);
    pass(heartbeats, 31_500, 39_000);
    expect(heartbeats.isHeld('n1')).toBe(false);
  });

  test('what is forgotten is seen as new', () => {
    const heartbeats = createHeartbeats();
    heartbeats.see('n1', beat('a'), 0);
    pass(heartbeats, 0, 8_000);
    heartbeats.forget('n1');
    expect(heartbeats.isHeld('n1')).toBe(false);
    heartbeats.see('n1', beat('a'), 8_100);
    expect(heartbeats.isHeld('n1')).toBe(true);
  });
});
