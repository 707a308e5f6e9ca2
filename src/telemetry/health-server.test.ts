import { expect, test } from 'vitest';
import { atEnd, freePort } from '../../test/support/index.ts';
import { serveHealth } from './health-server.ts';

test('is alive at once, and ready when nothing is missing', async () => {
  const end = new AbortController();
  atEnd(() => {
    end.abort();
    return Promise.resolve();
  });
  let missing = ['the source has not been read yet', 'bgpd does not answer'];
  const port = await freePort();
  await serveHealth({ port, host: '127.0.0.1', ready: () => missing, signal: end.signal });
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  expect(await ask('/healthz')).toBe('200 ok\n');
  expect(await ask('/livez')).toBe('200 ok\n');
  expect(await ask('/readyz')).toBe('503 the source has not been read yet\nbgpd does not answer\n');
  missing = [];
  expect(await ask('/readyz')).toBe('200 ok\n');
  expect(await ask('/other')).toContain('404');
});
