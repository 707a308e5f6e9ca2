import pino from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { startFakeApiServer } from '../../test/support/fake-api-server.ts';
import { atEnd, eventually } from '../../test/support/index.ts';
import type { StreamRequest } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { connectTo } from './connect.ts';
import { reflect } from './reflector.ts';
import { RESOURCES } from './resources.ts';

const GONE = new ApiError('too old', { status: 410, reason: 'Expired' });
const AWAY = new ApiError('refused', { status: 0, reason: 'ECONNREFUSED' });

/** One watch: it opens, or fails at once; then it goes on until the function returned is called. */
type Watch = (request: StreamRequest) => Promise<void>;

interface Rig {
  /** `list` and `watch VERSION`, in order, with when. */
  readonly asked: readonly { readonly what: string; readonly at: number }[];
  /** Settles when so much was asked. */
  readonly until: (count: number) => Promise<readonly string[]>;
}

/** Reflects Services from a stand-in for the API server, whose nth list has the version n00. */
function rig(watches: readonly Watch[]): Rig {
  const ended = new AbortController();
  const asked: { what: string; at: number }[] = [];
  let lists = 0;
  let watched = 0;
  const running = reflect({
    client: {
      request: () => {
        lists += 1;
        asked.push({ what: 'list', at: performance.now() });
        return Promise.resolve({ items: [], metadata: { resourceVersion: `${String(lists)}00` } });
      },
      stream: (request) => {
        asked.push({ what: `watch ${String(request.query?.resourceVersion)}`, at: performance.now() });
        watched += 1;
        return (watches[watched - 1] ?? open)(request);
      },
    },
    query: { type: RESOURCES.Service },
    handlers: { put: () => undefined, remove: () => undefined, listed: () => undefined },
    logger: pino({ level: 'silent' }),
    signal: ended.signal,
    random: () => 0,
  });
  atEnd(async () => {
    ended.abort();
    await running;
  });
  const until = async (count: number): Promise<readonly string[]> => {
    await vi.waitFor(
      () => {
        expect(asked.length).toBeGreaterThanOrEqual(count);
      },
      { timeout: 8_000, interval: 5 },
    );
    return asked.slice(0, count).map(({ what }) => what);
  };
  return { asked, until };
}

/** A watch that stays open. */
function open({ onOpen, signal }: StreamRequest): Promise<void> {
  onOpen?.();
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(AWAY);
    });
  });
}

function fails(error: ApiError): Watch {
  return () => Promise.reject(error);
}

/** A watch that brings a bookmark and breaks some time later. */
function breaks(afterMs: number, version: string): Watch {
  return ({ onOpen, onLine }) => {
    onOpen?.();
    onLine(JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version } } }));
    return new Promise((_resolve, reject) => {
      setTimeout(() => {
        reject(AWAY);
      }, afterMs);
    });
  };
}

function waitBefore({ asked }: Rig, index: number): number {
  return (asked[index]?.at ?? NaN) - (asked[index - 1]?.at ?? NaN);
}

test('a watch that broke goes on where it was', async () => {
  const made = rig([breaks(20, '150')]);
  expect(await made.until(3)).toEqual(['list', 'watch 100', 'watch 150']);
});

test('what the server has forgotten is read again at once, however long it was away before', async () => {
  const made = rig([breaks(0, '150'), fails(AWAY), fails(AWAY), fails(AWAY), fails(GONE)]);
  expect(await made.until(8)).toEqual([
    ...['list', 'watch 100', 'watch 150', 'watch 150', 'watch 150', 'watch 150'],
    ...['list', 'watch 200'],
  ]);
  expect(waitBefore(made, 5)).toBeGreaterThanOrEqual(1_400);
  // Less than the next wait would be.
  expect(waitBefore(made, 6)).toBeLessThan(1_400);
});

test('a server that has forgotten what it just said is not pressed', async () => {
  const made = rig([fails(GONE), fails(GONE), fails(GONE)]);
  expect(await made.until(6)).toEqual(['list', 'watch 100', 'list', 'watch 200', 'list', 'watch 300']);
  expect(waitBefore(made, 2)).toBeGreaterThanOrEqual(190);
  expect(waitBefore(made, 4)).toBeGreaterThanOrEqual(390);
});

test('after a watch that was open for a while, the waits begin short again', async () => {
  const made = rig([breaks(0, '110'), fails(AWAY), fails(AWAY), breaks(1_050, '120'), fails(AWAY)]);
  await made.until(6);
  expect(waitBefore(made, 4)).toBeGreaterThanOrEqual(790);
  // 1,050 ms open, then 200; not 1,500.
  expect(waitBefore(made, 5)).toBeLessThan(2_500);
});

test('a watch that went silent without a word is begun anew, and what it did not tell is found', async () => {
  const api = await startFakeApiServer();
  const client = await connectTo(api.kubeconfigPath);
  const ended = new AbortController();
  const told: string[] = [];
  const running = reflect({
    client,
    query: { type: RESOURCES.Service, namespace: 'default' },
    handlers: {
      put: ({ metadata }) => told.push(metadata.name),
      remove: () => undefined,
      listed: () => undefined,
    },
    logger: pino({ level: 'silent' }),
    signal: ended.signal,
    silenceMs: 300,
  });
  atEnd(async () => {
    ended.abort();
    await running;
    client.close();
    await api.stop();
  });
  const make = async (name: string): Promise<void> => {
    const path = '/api/v1/namespaces/default/services';
    await client.request({ method: 'POST', path, body: { metadata: { namespace: 'default', name } } });
  };
  await vi.waitFor(() => {
    expect(api.watchCount()).toBe(1);
  });
  await make('heard');
  await eventually(() => {
    expect(told).toEqual(['heard']);
  });
  api.muteWatches();
  await make('missed');
  await eventually(() => {
    expect(told).toEqual(['heard', 'missed']);
  });
});

describe('what a handler throws ends it, and is not taken for a fault of the server', () => {
  const BROKEN = new Error('a fault of ours');
  const fail = (): never => {
    throw BROKEN;
  };
  const items = [{ metadata: { namespace: 'default', name: 'web' } }];
  const event = (type: string): Watch => {
    const object = { metadata: { namespace: 'default', name: 'web', resourceVersion: '101' } };
    return (request) => {
      request.onOpen?.();
      // As ApiClient.stream does it: what the handler of a line throws comes out of it.
      request.onLine(JSON.stringify({ type, object }));
      return open(request);
    };
  };
  const quiet = { put: () => undefined, remove: () => undefined, listed: () => undefined };

  test.each([
    { name: 'put, of a list', items, stream: open, handlers: { ...quiet, put: fail } },
    { name: 'listed', items: [], stream: open, handlers: { ...quiet, listed: fail } },
    { name: 'put, of a watch', items: [], stream: event('MODIFIED'), handlers: { ...quiet, put: fail } },
    { name: 'remove', items: [], stream: event('DELETED'), handlers: { ...quiet, remove: fail } },
    { name: 'watching', items: [], stream: open, handlers: { ...quiet, watching: fail } },
  ])('$name', async ({ items: listed, stream, handlers }) => {
    const ended = new AbortController();
    const running = reflect({
      client: {
        request: () => Promise.resolve({ items: listed, metadata: { resourceVersion: '100' } }),
        stream: async (request) => stream(request),
      },
      query: { type: RESOURCES.Service },
      handlers,
      logger: pino({ level: 'silent' }),
      signal: ended.signal,
    });
    atEnd(async () => {
      ended.abort();
      await running.catch(() => undefined);
    });
    await expect(running).rejects.toBe(BROKEN);
  });

  test('of the real stream', async () => {
    const api = await startFakeApiServer();
    const client = await connectTo(api.kubeconfigPath);
    const ended = new AbortController();
    atEnd(async () => {
      ended.abort();
      client.close();
      await api.stop();
    });
    const running = reflect({
      client,
      query: { type: RESOURCES.Service, namespace: 'default' },
      handlers: { ...quiet, put: fail },
      logger: pino({ level: 'silent' }),
      signal: ended.signal,
    });
    const hasEnded = expect(running).rejects.toBe(BROKEN);
    await vi.waitFor(() => {
      expect(api.watchCount()).toBe(1);
    });
    const path = '/api/v1/namespaces/default/services';
    await client.request({ method: 'POST', path, body: { metadata: { namespace: 'default', name: 'web' } } });
    await hasEnded;
  });
});
