import { setTimeout as delay } from 'node:timers/promises';
import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { atEnd } from '../../test/support/index.ts';
import type { StatusObject } from '../api/index.ts';
import type { ApiRequest } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { StatusObjects } from './status-objects.ts';

const NAMESPACE = 'metallb-system';

/** Requests to a stand-in for the API server as `PATCH pools/first/status`, and its answers. */
interface Rig {
  readonly objects: StatusObjects;
  readonly requests: string[];
}

function rig(answer: (what: string, request: ApiRequest) => unknown = () => ({})): Rig {
  const requests: string[] = [];
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
    },
    manager: 'tests',
    owner: undefined,
    logger: pino({ level: 'silent' }),
    signal: ended.signal,
  });
  atEnd(async () => {
    ended.abort();
    await objects.idle();
  });
  return { objects, requests };
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

test('what an earlier run left is deleted, page by page, when it can be listed', async () => {
  let lists = 0;
  const item = (name: string): object => ({ metadata: { name, namespace: NAMESPACE } });
  const made = rig((what, { query }) => {
    if (!what.startsWith('GET')) return {};
    expect(query).toMatchObject({ labelSelector: 'metallb.io/node=n1' });
    lists += 1;
    if (lists === 1) return refuse(503);
    return query?.continue === 'more'
      ? { items: [item('c')], metadata: { resourceVersion: '7' } }
      : { items: [item('a'), item('b')], metadata: { continue: 'more' } };
  });
  made.objects.publish([bgp('b', 'tor')]);
  await made.objects.idle();
  made.requests.splice(0);
  await made.objects.dropStale({
    kind: 'ServiceBGPStatus',
    namespace: NAMESPACE,
    labelSelector: 'metallb.io/node=n1',
  });
  await made.objects.idle();
  expect(made.requests.filter((what) => what.startsWith('DELETE'))).toEqual([
    'DELETE servicebgpstatuses/a',
    'DELETE servicebgpstatuses/c',
  ]);
  expect(lists).toBe(3);
});
