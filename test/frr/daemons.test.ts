import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { watchDaemons } from '../../src/frr-vty/index.ts';
import { atEnd, eventually, tempDir } from '../support/index.ts';

/** Longer than a restarting daemon needs, so that what follows is another event. */
const APART_MS = 1_500;

test('sockets that come, go or are replaced are noticed, each time once', async () => {
  const dir = join(await tempDir(), 'run');
  let calls = 0;
  const restarted: string[] = [];
  const watched = watchDaemons(dir, (change) => {
    calls += 1;
    restarted.push(...change.restarted);
  });
  atEnd(() => watched.close());
  const expectCalls = async (count: number): Promise<void> => {
    await eventually(() => {
      expect(calls).toBe(count);
    });
    await delay(APART_MS);
    expect(calls).toBe(count);
  };
  const make = (name: string, at = dir): Promise<void> => writeFile(join(at, name), '');

  // The folder does not even exist.
  await delay(APART_MS);
  expect(calls).toBe(0);
  await mkdir(dir);
  await make('bgpd.vty');
  await make('zebra.vty');
  await expectCalls(1);
  expect(restarted).toEqual([]);

  // What is no socket of a daemon does not matter.
  await make('zserv.api');
  await expectCalls(1);

  await rm(join(dir, 'bgpd.vty'));
  await expectCalls(2);
  expect(restarted).toEqual([]);
  await make('bgpd.vty');
  await expectCalls(3);
  expect(restarted).toEqual(['bgpd']);

  // Replaced too quickly for anyone to see that it was gone.
  await make('new', dir);
  await rename(join(dir, 'new'), join(dir, 'bgpd.vty'));
  await expectCalls(4);
  expect(restarted).toEqual(['bgpd', 'bgpd']);

  // As a daemon does after it made its socket.
  await chmod(join(dir, 'zebra.vty'), 0o600);
  await expectCalls(5);
  expect(restarted).toEqual(['bgpd', 'bgpd']);

  // The folder itself is another one; that it was gone for a moment may be seen or not.
  await rename(dir, `${dir}.old`);
  await mkdir(dir);
  await make('bgpd.vty');
  await eventually(() => {
    expect(calls).toBeGreaterThanOrEqual(6);
  });
  await delay(APART_MS);
  const before = calls;
  await rm(join(dir, 'bgpd.vty'));
  await expectCalls(before + 1);

  await watched.close();
  await make('bgpd.vty');
  await expectCalls(before + 1);
});
