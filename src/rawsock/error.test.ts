import { describe, expect, test } from 'vitest';
import { RawSocketError, rawSocketError } from './error.ts';
import { loadAddon } from './native.ts';

describe('an error of a socket', () => {
  const failure = (code: string, message: string) => Object.assign(new Error(message), { code, sent: 3 });

  test.each([
    {
      name: 'says what to do about it',
      on: { name: 'eth0', index: 2 },
      cause: failure('EPERM', 'socket: operation not permitted'),
      want: {
        code: 'EPERM',
        sent: 3,
        message:
          'eth0: could not open it: EPERM (socket: operation not permitted): run this as root, or give it CAP_NET_RAW (in a pod: securityContext.capabilities.add: [NET_RAW])',
      },
    },
    {
      name: 'names the number of an interface whose name is not known',
      on: { index: 2 },
      cause: failure('EIO', 'read: i/o error'),
      want: { code: 'EIO', message: 'interface 2: could not open it: EIO (read: i/o error)' },
    },
    {
      name: 'without a code is what it said',
      on: { name: 'eth0' },
      cause: new Error('odd'),
      want: { code: 'ERR_RAW_SOCKET', sent: 0, message: 'eth0: could not open it: odd' },
    },
    {
      name: 'need not be one',
      on: { name: 'eth0' },
      cause: 'odd',
      want: { code: 'ERR_RAW_SOCKET', message: 'eth0: could not open it: odd' },
    },
  ])('$name', ({ on, cause, want }) => {
    const error = rawSocketError(on, 'open it', cause);
    expect(error).toMatchObject(want);
    expect(error).toBeInstanceOf(RawSocketError);
    expect(error.cause).toBe(cause);
  });
});

test.each(['/nonexistent/rawsock.node', 'no-such-package'])('%s is missing: says how to build it', (what) => {
  expect(() => loadAddon(what)).toThrow(
    expect.objectContaining({
      code: 'ERR_ADDON_MISSING',
      message: expect.stringMatching(
        /^\S+ cannot be loaded \(Cannot find module .*\): build it with `npm run setup`/,
      ) as string,
    }),
  );
});
