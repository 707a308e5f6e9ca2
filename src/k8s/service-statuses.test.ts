import pino from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { atEnd } from '../../test/support/index.ts';
import type { ApiRequest } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { RawObject } from './raw-object.ts';
import { ServiceStatuses } from './service-statuses.ts';

/** What a stand-in for the API server does with a write of these addresses: answers, or refuses with this status. */
type Verdict = (ingress: string) => number | Promise<number>;

interface Rig {
  readonly statuses: ServiceStatuses;
  /** The addresses of each write, in order. */
  readonly writes: readonly string[];
  readonly want: (ip: string) => void;
}

/** One Service, `default/web`, whose version grows with each write that succeeds. */
function rig(verdict: Verdict): Rig {
  const writes: string[] = [];
  const ended = new AbortController();
  let version = 1;
  const request = async ({ body }: ApiRequest): Promise<unknown> => {
    const { status } = body as { status: { loadBalancer: { ingress: { ip: string }[] } } };
    const ingress = status.loadBalancer.ingress.map(({ ip }) => ip).join();
    writes.push(ingress);
    const code = await verdict(ingress);
    if (code !== 200) throw new ApiError('no', { status: code, reason: 'Made up' });
    version += 1;
    return web({ version, ip: ingress });
  };
  const statuses = new ServiceStatuses({
    client: { request },
    logger: pino({ level: 'silent' }),
    signal: ended.signal,
    onFailure: () => undefined,
  });
  atEnd(async () => {
    ended.abort();
    await statuses.idle();
  });
  statuses.observe(web({ version }));
  const want = (ip: string): void => {
    statuses.set({ namespace: 'default', name: 'web', ingress: [ip] });
    statuses.flush();
  };
  return { statuses, writes, want };
}

function web({ version, ip, uid = 'one' }: { version: number; ip?: string; uid?: string }): RawObject {
  return {
    metadata: { name: 'web', namespace: 'default', uid, resourceVersion: String(version) },
    status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
  };
}

const BAD = '192.0.2.1';
const GOOD = '192.0.2.2';
const refusesBad: Verdict = (ip) => (ip === BAD ? 422 : 200);

async function wrote(rig: Rig, ...expected: readonly string[]): Promise<void> {
  await vi.waitFor(() => {
    expect(rig.writes).toEqual(expected);
  });
}

test('a status that was refused waits, and another one does not wait with it', async () => {
  const made = rig(refusesBad);
  made.want(BAD);
  await wrote(made, BAD);
  await delay(20); // The refusal has been dealt with.
  made.want(BAD); // The same, decided once more.
  await delay(150);
  expect(made.writes).toEqual([BAD]);
  made.want(GOOD);
  await wrote(made, BAD, GOOD);
});

test('nor does one that is wanted while the other is being refused', async () => {
  const refusal = Promise.withResolvers<number>();
  const made = rig((ip) => (ip === BAD ? refusal.promise : 200));
  made.want(BAD);
  await wrote(made, BAD);
  made.want(GOOD);
  refusal.resolve(422);
  await wrote(made, BAD, GOOD);
});

test('versions of the Service that arrive do not shorten the wait', async () => {
  const refusal = Promise.withResolvers<number>();
  const made = rig(() => refusal.promise);
  made.want(BAD);
  await wrote(made, BAD);
  made.statuses.observe(web({ version: 2 }));
  refusal.resolve(403);
  await delay(100);
  made.statuses.observe(web({ version: 3 }));
  await delay(100);
  expect(made.writes).toEqual([BAD]);
});

test.each([
  ['made again after its end was seen', true],
  ['made again unseen', false],
])('a Service %s does not wait for what befell the one before', async (_name, isSeen) => {
  let code = 422;
  const made = rig(() => code);
  made.want(BAD);
  await wrote(made, BAD);
  await delay(20); // The refusal has been dealt with.
  code = 200;
  if (isSeen) {
    made.statuses.unobserve('default/web');
    made.statuses.forget({ namespace: 'default', name: 'web' });
  }
  made.statuses.observe(web({ version: 9, uid: 'two' }));
  made.want(BAD);
  await wrote(made, BAD, BAD);
});

test('what is refused because of a newer version goes out with that version at once', async () => {
  const conflict = Promise.withResolvers<number>();
  let tries = 0;
  const made = rig(() => {
    tries += 1;
    return tries === 1 ? conflict.promise : 200;
  });
  made.want(GOOD);
  await wrote(made, GOOD);
  made.statuses.observe(web({ version: 5 }));
  conflict.resolve(409);
  await wrote(made, GOOD, GOOD);
  await made.statuses.idle();
});
