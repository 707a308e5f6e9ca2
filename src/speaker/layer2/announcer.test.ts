import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ip } from '../../core/test-ip.ts';
import { parseMac, type Announced } from '../../l2/index.ts';
import { createAnnouncer } from './announcer.ts';

const MAC = parseMac('00:00:5e:00:53:01');
if (MAC === undefined) throw new Error('no address');
const ANNOUNCED: Announced = {
  ...{ ip: ip('192.0.2.200'), interface: 'eth0', mac: MAC, linkLocal: undefined, intervalMs: 60_000 },
};

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('what is claimed is announced at once, five times within some seconds, and then each minute', () => {
  const sentAt: number[] = [];
  const announcer = createAnnouncer(
    () => sentAt.push(performance.now()),
    () => undefined,
  );
  const fromMs = performance.now();
  announcer.set([ANNOUNCED]);
  vi.advanceTimersByTime(100_000);
  announcer.close();
  const after = sentAt.map((at) => at - fromMs);
  expect(after[0]).toBe(0);
  expect(after.filter((ms) => ms < 10_000)).toHaveLength(5);
  expect(after).toHaveLength(6);
  expect(after[5]).toBeGreaterThan(48_000);
});

test('what is taken back when it is due is not announced any more', () => {
  let sent = 0;
  let isMine = true;
  const announcer = createAnnouncer(
    () => {
      sent += 1;
    },
    () => {
      if (!isMine) announcer.set([]);
    },
  );
  announcer.set([ANNOUNCED]);
  expect(sent).toBe(1);
  isMine = false;
  vi.advanceTimersByTime(100_000);
  expect(sent).toBe(1);
  announcer.close();
});
