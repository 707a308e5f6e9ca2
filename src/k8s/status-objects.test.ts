import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { atEnd } from '../../test/support/index.ts';
import type { StatusObject } from '../api/index.ts';
import type { ApiRequest } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { RawObject } from './raw-object.ts';
import { RESOURCES } from './resources.ts';
import { StatusObjects, type StatusObjectsOptions } from './status-objects.ts';

const NAMESPACE = 'metallb-system';

/** Requests to a stand-in for the API server as `PATCH pools/first/status`, and its answers. */
interface Rig {
  readonly objects: StatusObjects;
  readonly requests: string[];
  /** How many watches are open. */
  readonly watches: () => number;
  /** Says what happened to all who watch. */
  readonly tell: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: object) => void;
}

function rig(
  answer: (what: string, request: ApiRequest) => unknown = () => ({}),
  options: Partial<Pick<StatusObjectsOptions, 'owner' | 'queries'>> = {},
): Rig {
  const requests: string[] = [];
  const watchers: ((line: string) => void)[] = [];
  const ended = new AbortController();
  const objects = new StatusObjects({
    client: {
      request: (request) => {
        const what = `${request.method} ${request.path.replace(/^.*\/namespaces\/[^/]+\//, '')}`;
        requests.push(what);
        return new Promise((resolve) => {
          resolve(answer(what, request));
        });
      },
      stream: ({ onLine, signal }) => {
        watchers.push(onLine);
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
      },
    },
    managerOf: () => 'tests',
    owner: undefined,
    queries: [],
    ...options,
    logger: pino({ level: 'silent' }),
    signal: ended.signal,
  });
  atEnd(async () => {
    ended.abort();
    await objects.idle();
  });
  const tell: Rig['tell'] = (type, object) => {
    for (const watcher of watchers) watcher(JSON.stringify({ type, object }));
  };
  return { objects, requests, watches: () => watchers.length, tell };
}

function refuse(status: number): never {
  throw new ApiError('no', { status, reason: 'Made up' });
}

function pool(name: string, assignedIPv4: bigint): StatusObject {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name, namespace: NAMESPACE },
    status: { assignedIPv4 },
  };
}

function bgp(name: string, ...peers: readonly string[]): StatusObject {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ServiceBGPStatus',
    metadata: { name, namespace: NAMESPACE },
    status: { peers },
  };
}

async function asked({ objects, requests }: Rig, ...expected: readonly string[]): Promise<void> {
  await objects.idle();
  expect(requests.splice(0)).toEqual(expected);
}

test('what is new or differs is written, and nothing else', async () => {
  const made = rig();
  const a = bgp('a', 'tor');
  made.objects.publish([a, bgp('b', 'tor'), pool('p', 1n)]);
  await asked(
    made,
    ...['PATCH servicebgpstatuses/a', 'PATCH servicebgpstatuses/a/status'],
    ...['PATCH servicebgpstatuses/b', 'PATCH servicebgpstatuses/b/status'],
    'PATCH ipaddresspools/p/status',
  );
  made.objects.publish([a, bgp('b', 'tor'), pool('p', 1n)]); // Two are copies.
  await asked(made);
  made.objects.publish([a, bgp('b', 'spine'), pool('p', 2n)]);
  await asked(
    made,
    ...['PATCH servicebgpstatuses/b', 'PATCH servicebgpstatuses/b/status'],
    'PATCH ipaddresspools/p/status',
  );
});

test('what is published no more is deleted, unless it is its users own', async () => {
  const made = rig();
  made.objects.publish([bgp('a', 'tor'), pool('p', 1n)]);
  await made.objects.idle();
  made.requests.splice(0);
  made.objects.publish([]);
  await asked(made, 'DELETE servicebgpstatuses/a');
  await asked(made);
});

test('what comes again under the same name is written again, though it says the same', async () => {
  const made = rig();
  const objects = [bgp('a', 'tor'), pool('p', 1n)];
  const writes = [
    ...['PATCH servicebgpstatuses/a', 'PATCH servicebgpstatuses/a/status'],
    'PATCH ipaddresspools/p/status',
  ];
  made.objects.publish(objects);
  await asked(made, ...writes);
  made.objects.publish([]);
  await asked(made, 'DELETE servicebgpstatuses/a');
  made.objects.publish(objects);
  await asked(made, ...writes);
});

test('what is not there is looked for with the next publication', async () => {
  let isThere = false;
  const made = rig(() => (isThere ? {} : refuse(404)));
  const objects = [pool('p', 1n)];
  made.objects.publish(objects);
  await asked(made, 'PATCH ipaddresspools/p/status');
  await asked(made);
  isThere = true;
  made.objects.publish(objects);
  await asked(made, 'PATCH ipaddresspools/p/status');
  made.objects.publish(objects);
  await asked(made);
});

test('what was refused waits, and a newer status does not wait with it', async () => {
  const tries: unknown[] = [];
  const made = rig((_what, { body }) => {
    const { assignedIPv4 } = (body as { status: { assignedIPv4: bigint } }).status;
    tries.push(assignedIPv4);
    return assignedIPv4 < 4n ? refuse(422) : {};
  });
  // Each waits longer than the one before: 0.5 s, 1 s, 2 s at least three quarters of that.
  for (const number of [1n, 2n, 3n, 4n]) {
    made.objects.publish([pool('p', number)]);
    await vi.waitFor(() => {
      expect(tries.at(-1)).toBe(number);
    });
    await delay(20);
  }
  expect(tries).toEqual([1n, 2n, 3n, 4n]);
  await made.objects.idle();
});

const OWNER = { apiVersion: 'v1', kind: 'Pod', name: 'speaker-1', uid: 'u1' };

/** A ServiceBGPStatus as it stands in the API server. */
function standing(name: string, peers: readonly string[], uid = OWNER.uid): RawObject {
  return {
    metadata: { name, namespace: NAMESPACE, ownerReferences: [{ ...OWNER, uid }] },
    status: { peers },
  };
}

/** With a watch of these. */
function watchingRig(
  items: readonly RawObject[],
  answer: (what: string, request: ApiRequest) => unknown = () => ({}),
): Rig {
  const list = { items, metadata: { resourceVersion: '7' } };
  return rig((what, request) => (what.startsWith('GET') ? list : answer(what, request)), {
    owner: OWNER,
    queries: [
      { type: RESOURCES.ServiceBGPStatus, namespace: NAMESPACE, labelSelector: 'metallb.io/node=n1' },
    ],
  });
}

/** What stands there was read, and is watched from there on. */
async function isWatching({ requests, watches }: Rig): Promise<void> {
  await vi.waitFor(() => {
    expect(watches()).toBe(1);
  });
  expect(requests.shift()).toBe('GET servicebgpstatuses');
}

/** Longer than what others changed is left. */
const LATER_MS = 1_200;

test('of what an earlier run left only what differs is written', async () => {
  const made = watchingRig([
    standing('a', ['tor']),
    standing('b', ['spine']),
    // Of the pod that was here before: its objects go with it.
    standing('c', ['tor'], 'u0'),
    standing('left', ['tor']),
  ]);
  made.objects.publish([bgp('a', 'tor'), bgp('b', 'tor'), bgp('c', 'tor'), bgp('d', 'tor')]);
  await isWatching(made);
  await asked(
    made,
    'DELETE servicebgpstatuses/left',
    ...['PATCH servicebgpstatuses/b', 'PATCH servicebgpstatuses/b/status'],
    'PATCH servicebgpstatuses/c',
    ...['PATCH servicebgpstatuses/d', 'PATCH servicebgpstatuses/d/status'],
  );
});

test('what an earlier run left is deleted, page by page, when it can be listed', async () => {
  let lists = 0;
  const item = (name: string): object => ({ metadata: { name, namespace: NAMESPACE } });
  const made = rig(
    (what, { query }) => {
      if (!what.startsWith('GET')) return {};
      expect(query).toMatchObject({ labelSelector: 'metallb.io/node=n1' });
      lists += 1;
      if (lists === 1) return refuse(503);
      return query?.continue === 'more'
        ? { items: [item('c')], metadata: { resourceVersion: '7' } }
        : { items: [item('a'), item('b')], metadata: { continue: 'more' } };
    },
    {
      queries: [
        { type: RESOURCES.ServiceBGPStatus, namespace: NAMESPACE, labelSelector: 'metallb.io/node=n1' },
      ],
    },
  );
  made.objects.publish([bgp('b', 'tor')]);
  await vi.waitFor(() => {
    expect(made.requests).toContain('PATCH servicebgpstatuses/b/status');
    expect(made.requests.filter((what) => what.startsWith('DELETE'))).toEqual([
      'DELETE servicebgpstatuses/a',
      'DELETE servicebgpstatuses/c',
    ]);
  });
  expect(lists).toBe(3);
});

test('what others change or delete is put back, and our own echoes are not answered', async () => {
  const made = watchingRig([standing('a', ['tor']), standing('b', ['tor']), standing('c', ['tor'])]);
  made.objects.publish([bgp('a', 'tor'), bgp('b', 'tor'), bgp('c', 'tor')]);
  await isWatching(made);
  made.tell('MODIFIED', standing('a', ['tor']));
  // As a write of two requests is heard of: first without a status.
  made.tell('MODIFIED', { metadata: standing('b', []).metadata });
  made.tell('MODIFIED', standing('b', ['tor']));
  await delay(LATER_MS);
  await asked(made);
  made.tell('MODIFIED', standing('a', ['nobody']));
  made.tell('DELETED', standing('b', ['tor']));
  made.tell('MODIFIED', standing('c', ['tor'], 'u0'));
  await delay(LATER_MS);
  await asked(
    made,
    ...['a', 'b', 'c'].flatMap((name) => [
      `PATCH servicebgpstatuses/${name}`,
      `PATCH servicebgpstatuses/${name}/status`,
    ]),
  );
  // Nobody wants it.
  made.tell('ADDED', standing('copy', ['tor']));
  await asked(made, 'DELETE servicebgpstatuses/copy');
});
