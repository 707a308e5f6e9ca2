import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { startFakeApiServer } from '../../test/support/fake-api-server.ts';
import { atEnd, eventually, tempDir } from '../../test/support/index.ts';
import { owned, ownership, speakerOf } from '../../test/support/layer2-store.ts';
import { clusterLayer2Store, connectTo } from '../k8s/index.ts';
import type { Layer2Store, OwnershipRecord, WrittenLayer2, WrittenSpeaker } from '../l2/index.ts';
import { folderLayer2Store } from '../source/index.ts';
import { clusterPlace, folderPlace, type Layer2Place } from './layer2-place.ts';
import { moveAddresses, parseMoveTarget, reasonsToStay, type MoveReport } from './move-addresses.ts';

const logger = pino({ level: 'silent' });

interface World {
  readonly place: Layer2Place;
  readonly open: (node: string, signal: AbortSignal) => Layer2Store;
}

async function folderWorld(): Promise<World> {
  const source = join(await tempDir(), 'source');
  mkdirSync(source);
  return {
    place: folderPlace(source),
    open: (node, signal) =>
      folderLayer2Store({
        ...{ folder: join(source, '.status'), node, logger, signal },
        serviceExists: () => true,
      }),
  };
}

async function clusterWorld(): Promise<World> {
  const api = await startFakeApiServer();
  const client = await connectTo(api.kubeconfigPath);
  atEnd(async () => {
    client.close();
    await api.stop();
  });
  const namespace = 'metallb-system';
  return {
    place: clusterPlace(client, namespace),
    open: (node, signal) =>
      clusterLayer2Store({ client, namespace, node, logger, signal, serviceExists: () => true }),
  };
}

describe.each([
  { name: 'a folder', makeWorld: folderWorld },
  { name: 'a cluster', makeWorld: clusterWorld },
])('in $name', ({ makeWorld }) => {
  const SHARED = { ips: ['192.0.2.200'] };
  let world: World;
  let stores: Map<string, Layer2Store>;

  beforeEach(async () => {
    world = await makeWorld();
    stores = new Map();
    const end = new AbortController();
    for (const node of ['n1', 'n2', 'n3']) {
      const store = world.open(node, end.signal);
      store.publishSpeaker(speakerOf(node));
      stores.set(node, store);
    }
    stores.get('n1')!.start(() => undefined);
    stores
      .get('n1')!
      .publishOwnership(
        owned(ownership('n1', 'web', SHARED), ownership('n1', 'mail', SHARED), ownership('n1', 'dns')),
      );
    await Promise.all([...stores.values()].map((store) => store.idle()));
    return () => {
      end.abort();
    };
  });

  /** A speaker that takes over what it is asked to, together with what shares its addresses. */
  function obey(node: string): void {
    stores.get(node)!.start(({ moves }) => {
      if (moves.get('default/mail') !== node) return;
      const rest = { ...SHARED, since: '2026-01-02T03:05:00.000Z', cause: 'Requested' } as const;
      stores.get(node)!.publishOwnership(owned(ownership(node, 'web', rest), ownership(node, 'mail', rest)));
    });
  }

  const said: string[] = [];
  function move(what: string, to: string, rest: { timeoutMs?: number; signal?: AbortSignal } = {}) {
    said.length = 0;
    return moveAddresses({
      ...{ place: world.place, to, target: parseMoveTarget(what)!, timeoutMs: 20_000, progressMs: 60_000 },
      onProgress: (text) => said.push(text),
      signal: new AbortController().signal,
      ...rest,
    });
  }

  const requests = async (): Promise<WrittenLayer2['moves']> =>
    (await world.place.read(new AbortController().signal)).moves;

  test.each(['192.0.2.200', 'default/web'])('%s moves, with all that share the address', async (what) => {
    obey('n2');
    const report = await move(what, 'n2');
    expect(report).toEqual({
      ...{ services: ['default/mail', 'default/web'], addresses: ['192.0.2.200'] },
      ...{ from: 'n1', to: 'n2', result: 'moved', reasons: [] },
      tookMs: expect.any(Number) as number,
    } satisfies MoveReport);
    expect(said).toEqual([]);
    await eventually(async () => {
      expect(await requests()).toEqual(new Map());
    });
  });

  test('already there: nothing is asked', async () => {
    expect(await move('2001:DB8:0::1', 'n1')).toEqual({
      ...{ services: ['default/dns'], addresses: ['198.51.100.1', '2001:db8::1'] },
      ...{ from: 'n1', to: 'n1', result: 'alreadyThere', reasons: [] },
    });
    expect(await requests()).toEqual(new Map());
  });

  test("already there: somebody else's wish to move it away is replaced", async () => {
    await world.place.ask({ service: { namespace: 'default', name: 'dns' }, node: 'n2' });
    expect(await move('default/dns', 'n1')).toMatchObject({ result: 'alreadyThere' });
    await eventually(async () => {
      expect((await requests()).get('default/dns') ?? 'n1').toBe('n1');
    });
  });

  test('it does not move: the request is taken back, and what may be the reason is said', async () => {
    const report = await move('default/dns', 'n2', { timeoutMs: 150 });
    expect(report).toMatchObject({ from: 'n1', to: 'n2', result: 'notMoved' });
    expect(report.reasons.join()).toMatch(
      /198\.51\.100\.1.*no subnet of n2 \(192\.0\.2\.11\/24\).*candidate/,
    );
    expect(await requests()).toEqual(new Map());
  });

  test("what somebody else asked for meanwhile isn't taken back", async () => {
    const moving = move('default/dns', 'n2', { timeoutMs: 1_500 });
    await eventually(async () => {
      expect((await requests()).get('default/dns')).toBe('n2');
    });
    await world.place.ask({ service: { namespace: 'default', name: 'dns' }, node: 'n3' });
    expect(await moving).toMatchObject({ result: 'notMoved' });
    expect((await requests()).get('default/dns')).toBe('n3');
  });

  test('interrupted: the request is taken back', async () => {
    const end = new AbortController();
    const moving = move('default/dns', 'n2', { signal: end.signal });
    const ended = expect(moving).rejects.toThrow('enough');
    await eventually(async () => {
      expect((await requests()).get('default/dns')).toBe('n2');
    });
    end.abort(new Error('enough'));
    await ended;
    expect(await requests()).toEqual(new Map());
  });

  test.each([
    {
      what: '192.0.2.9',
      to: 'n2',
      want: /^no node announces 192\.0\.2\.9 .*dns\) on n1; 192\.0\.2\.200 \(def/,
    },
    { what: 'default/none', to: 'n2', want: /^no node announces an address of default\/none .*known are/ },
    { what: 'default/web', to: 'n9', want: /^n9: no speaker of that name; those that live: n1, n2, n3$/ },
  ])('$what to $to is refused', async ({ what, to, want }) => {
    await expect(move(what, to)).rejects.toThrow(want);
    expect(await requests()).toEqual(new Map());
  });

  test('to a node whose speaker has ended: refused', async () => {
    await stores.get('n2')!.release();
    await expect(move('default/web', 'n2')).rejects.toThrow(
      /^n2: its speaker has ended; those that live: n1, n3$/,
    );
  });
});

test('it takes long: said once', async () => {
  const record = ownership('n1', 'web');
  const said: string[] = [];
  const report = await moveAddresses({
    place: {
      read: () => Promise.resolve(written(record)),
      ownerOf: () => Promise.resolve(record),
      ask: () => Promise.resolve(),
      withdraw: () => Promise.reject(new Error('no way')),
      pollMs: 10,
    },
    ...{ target: parseMoveTarget('default/web')!, to: 'n2', timeoutMs: 120, progressMs: 30 },
    onProgress: (text) => said.push(text),
    signal: new AbortController().signal,
  });
  expect(said).toEqual(['waiting for n2 to take 198.51.100.1, 2001:db8::1 (default/web) over from n1']);
  expect(report.reasons.at(-1)).toBe('the request could not be taken back, and it may still move: no way');
});

test('what fails while this waits may come back', async () => {
  const record = ownership('n1', 'web');
  let looks = 0;
  const report = await moveAddresses({
    place: {
      read: () => Promise.resolve(written(record)),
      ownerOf: () => {
        looks += 1;
        return looks < 3 ? Promise.reject(new Error('away')) : Promise.resolve(ownership('n2', 'web'));
      },
      ask: () => Promise.resolve(),
      withdraw: () => Promise.resolve(),
      pollMs: 1,
    },
    ...{ target: parseMoveTarget('default/web')!, to: 'n2', timeoutMs: 20_000, progressMs: 60_000 },
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  expect(report.result).toBe('moved');
});

const NOW = Date.parse('2026-01-02T03:04:05.000Z');

function speaker(node: string, rest: Partial<WrittenSpeaker> = {}): WrittenSpeaker {
  const renewTime = new Date().toISOString();
  return {
    record: speakerOf(node, '198.51.100.11/24'),
    isReleased: false,
    renewTime,
    heldMs: 8_000,
    ...rest,
  };
}

function written(record: OwnershipRecord | undefined, ...speakers: readonly WrittenSpeaker[]): WrittenLayer2 {
  const all = speakers.length === 0 ? [speaker('n1'), speaker('n2')] : speakers;
  return {
    speakers: new Map(all.map((each) => [each.record.node, each])),
    ownerships: record ? owned(record) : new Map(),
    moves: new Map(),
  };
}

const asOf = (ms: number): Partial<WrittenSpeaker> => ({ renewTime: new Date(NOW - ms).toISOString() });

test.each([
  { name: 'the Service is gone', written: written(undefined), want: /^nobody has the addresses any more/ },
  {
    name: 'the speaker has ended',
    written: written(ownership('n1', 'web'), speaker('n1', asOf(0)), speaker('n2', { isReleased: true })),
    want: /^n2: its speaker has ended$/,
  },
  {
    name: 'the speaker is lost',
    written: written(ownership('n1', 'web'), speaker('n1', asOf(0)), speaker('n2', asOf(9_000))),
    want: /^n2: its speaker said last at 2026-01-02T03:03:56\.000Z that it lives/,
  },
  {
    name: 'the owner is lost',
    written: written(ownership('n1', 'web'), speaker('n1', asOf(9_000)), speaker('n2', asOf(0))),
    want: /^n1, which has them: its speaker said last at/,
  },
  {
    name: 'the other one does not take it',
    written: written(
      ownership('n1', 'web', { nextOwner: 'n2' }),
      speaker('n1', asOf(0)),
      speaker('n2', asOf(0)),
    ),
    want: /^n1 has offered them and n2 has not taken them/,
  },
  {
    name: 'nothing that stands written',
    written: written(
      ownership('n1', 'web', { ips: ['198.51.100.1'] }),
      speaker('n1', asOf(0)),
      speaker('n2', asOf(0)),
    ),
    want: /^n2 may not be a candidate: /,
  },
])('why it stays: $name', ({ written: there, want }) => {
  const reasons = reasonsToStay({ written: there, records: [ownership('n1', 'web')], to: 'n2', nowMs: NOW });
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toMatch(want);
});

test.each([
  ['192.0.2.200', { kind: 'address', ip: '192.0.2.200' }],
  ['2001:DB8:0:0::C8', { kind: 'address', ip: '2001:db8::c8' }],
  ['default/web', { kind: 'service', service: { namespace: 'default', name: 'web' } }],
  ['web', undefined],
  ['a/b/c', undefined],
  ['192.0.2.300', undefined],
  ['', undefined],
])('%j is read', (text, want) => {
  expect(parseMoveTarget(text)).toEqual(want);
});
