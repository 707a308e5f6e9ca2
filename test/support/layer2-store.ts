import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Layer2Store, Layer2View, OwnershipRecord, SpeakerRecord } from '../../src/l2/index.ts';
import { eventually } from './eventually.ts';

/** What every place must do in which speakers write down what the others have to know: one contract for all of them. */

export interface Layer2Place {
  readonly open: (node: string, signal: AbortSignal) => Layer2Store;
  readonly requestMove: (service: { namespace: string; name: string }, node: string) => Promise<void>;
  /** Nobody reaches it any more, and everybody again. */
  readonly leave: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
  /** For how long a speaker that says nothing is taken for one that lives, in milliseconds. */
  readonly heldMs: number;
}

export interface OpenStore {
  readonly store: Layer2Store;
  /** All that it said, the newest last. */
  readonly views: readonly Layer2View[];
  readonly latest: () => Layer2View;
  /** As if its process were killed. */
  readonly kill: () => void;
}

export function speakerOf(node: string, address = '192.0.2.11/24'): SpeakerRecord {
  return { node, links: [{ name: 'eth0', mac: '00:00:5e:00:53:01', addresses: [address] }] };
}

export function ownership(node: string, name: string, rest: Partial<OwnershipRecord> = {}): OwnershipRecord {
  const since = rest.since ?? '2026-01-02T03:04:05.000Z';
  return {
    service: { namespace: 'default', name },
    node,
    ips: ['198.51.100.1', '2001:db8::1'],
    interfaces: ['eth0'],
    since,
    cause: 'FirstClaim',
    history: [{ at: since, node, cause: 'FirstClaim' }],
    ...rest,
  };
}

export function owned(...records: readonly OwnershipRecord[]): ReadonlyMap<string, OwnershipRecord> {
  return new Map(records.map((record) => [`${record.service.namespace}/${record.service.name}`, record]));
}

export function describeLayer2Store(name: string, makePlace: () => Promise<Layer2Place>): void {
  describe(name, () => {
    let place: Layer2Place;
    let opened: OpenStore[] = [];

    beforeEach(async () => {
      place = await makePlace();
      opened = [];
      return () => {
        for (const { kill } of opened) kill();
      };
    });

    function open(node: string): OpenStore {
      const end = new AbortController();
      const store = place.open(node, end.signal);
      const views: Layer2View[] = [];
      store.start((view) => views.push(view));
      const one: OpenStore = {
        store,
        views,
        latest: () => {
          const view = views.at(-1);
          if (!view) throw new Error(`${node} has said nothing yet`);
          return view;
        },
        kill: () => {
          end.abort();
        },
      };
      opened.push(one);
      return one;
    }

    /** A speaker that lives. */
    function start(node: string): OpenStore {
      const one = open(node);
      one.store.publishSpeaker(speakerOf(node));
      return one;
    }

    async function sees(one: OpenStore, want: (view: Layer2View) => void): Promise<void> {
      await eventually(
        () => {
          want(one.latest());
        },
        { intervalMs: 5, timeoutMs: 15_000 },
      );
    }

    const ownerOf = (view: Layer2View, service: string): string | undefined =>
      view.ownerships.get(`default/${service}`)?.node;
    const held = (view: Layer2View): string[] =>
      [...view.speakers]
        .filter(([, { isHeld }]) => isHeld)
        .map(([node]) => node)
        .sort();

    test('with nothing written: a fresh view of nobody', async () => {
      const one = open('n1');
      await sees(one, (view) => {
        expect(view).toEqual({ isFresh: true, speakers: new Map(), ownerships: new Map(), moves: new Map() });
      });
      expect(one.views).toHaveLength(1);
    });

    test('speakers see each other, and what the links of each are', async () => {
      const [one, two] = [start('n1'), start('n2')];
      for (const each of [one, two]) {
        await sees(each, (view) => {
          expect(view.speakers).toEqual(
            new Map([
              ['n1', { record: speakerOf('n1'), isHeld: true }],
              ['n2', { record: speakerOf('n2'), isHeld: true }],
            ]),
          );
        });
      }
      one.store.publishSpeaker(speakerOf('n1', '2001:db8::11/64'));
      await sees(two, (view) => {
        expect(view.speakers.get('n1')?.record).toEqual(speakerOf('n1', '2001:db8::11/64'));
      });
    });

    test('what one owns is seen by the others with all that is said of it', async () => {
      const [one, two] = [start('n1'), start('n2')];
      const record = ownership('n1', 'web', {
        nextOwner: 'n2',
        interfaces: ['bond0', 'eth1'],
        cause: 'OwnerLost',
        history: [
          { at: '2026-01-02T03:04:05.000Z', node: 'n1', cause: 'OwnerLost' },
          { at: '2026-01-01T03:04:05.000Z', node: 'n3', cause: 'FirstClaim' },
        ],
      });
      one.store.publishOwnership(owned(record, ownership('n1', 'mail')));
      await sees(two, (view) => {
        expect(view.ownerships).toEqual(owned(record, ownership('n1', 'mail')));
      });
      const { nextOwner: _nextOwner, ...without } = record;
      one.store.publishOwnership(owned(without, ownership('n1', 'mail')));
      await sees(two, (view) => {
        expect(view.ownerships.get('default/web')).toEqual(without);
      });
    });

    test('what did not change keeps its identity, and who asks for nothing new hears nothing', async () => {
      const [one, two] = [start('n1'), start('n2')];
      one.store.publishOwnership(owned(ownership('n1', 'web'), ownership('n1', 'mail')));
      await sees(two, (view) => {
        expect(view.ownerships.size).toBe(2);
        expect(held(view)).toEqual(['n1', 'n2']);
      });
      const before = two.latest();
      one.store.publishOwnership(owned(ownership('n1', 'web'), ownership('n1', 'mail', { nextOwner: 'n2' })));
      await sees(two, (view) => {
        expect(view.ownerships.get('default/mail')?.nextOwner).toBe('n2');
      });
      expect(two.latest().ownerships.get('default/web')).toBe(before.ownerships.get('default/web'));
      expect(two.latest().speakers.get('n1')?.record).toBe(before.speakers.get('n1')?.record);
      const count = two.views.length;
      two.store.publishOwnership(new Map());
      await two.store.idle();
      one.store.publishSpeaker(speakerOf('n1'));
      await one.store.idle();
      await delay(100);
      expect(two.views).toHaveLength(count);
    });

    test('a later owner counts, for both, and the earlier one does not take it away again', async () => {
      const [one, two] = [start('n1'), start('n2')];
      const first = ownership('n1', 'web');
      one.store.publishOwnership(owned(first));
      await sees(two, (view) => {
        expect(ownerOf(view, 'web')).toBe('n1');
      });
      const second = ownership('n2', 'web', { since: '2026-01-02T03:04:05.001Z', cause: 'HandOver' });
      two.store.publishOwnership(owned(second));
      await sees(one, (view) => {
        expect(view.ownerships.get('default/web')).toEqual(second);
      });
      // Still of the opinion that it owns it, and later of none.
      one.store.publishOwnership(owned({ ...first, interfaces: ['eth1'] }));
      await one.store.idle();
      expect(ownerOf(one.latest(), 'web')).toBe('n2');
      one.store.publishOwnership(new Map());
      await one.store.idle();
      const third = start('n3');
      await sees(third, (view) => {
        expect(view.ownerships.get('default/web')).toEqual(second);
      });
    });

    test('what is owned no more is taken back', async () => {
      const [one, two] = [start('n1'), start('n2')];
      one.store.publishOwnership(owned(ownership('n1', 'web'), ownership('n1', 'mail')));
      await sees(two, (view) => {
        expect(view.ownerships.size).toBe(2);
      });
      one.store.publishOwnership(owned(ownership('n1', 'mail')));
      await sees(two, (view) => {
        expect([...view.ownerships.keys()]).toEqual(['default/mail']);
      });
    });

    test('what an earlier run left is remembered until the next one says what it owns', async () => {
      const before = start('n1');
      before.store.publishOwnership(owned(ownership('n1', 'web'), ownership('n1', 'mail')));
      await before.store.idle();
      before.kill();
      const after = start('n1');
      await sees(after, (view) => {
        expect(view.ownerships).toEqual(owned(ownership('n1', 'web'), ownership('n1', 'mail')));
      });
      after.store.publishOwnership(owned(ownership('n1', 'web')));
      await after.store.idle();
      const other = start('n2');
      await sees(other, (view) => {
        expect(view.ownerships).toEqual(owned(ownership('n1', 'web')));
      });
    });

    test('a request to move is seen, and gone when the node that it names owns the Service', async () => {
      const [one, two] = [start('n1'), start('n2')];
      one.store.publishOwnership(owned(ownership('n1', 'web')));
      await sees(two, (view) => {
        expect(ownerOf(view, 'web')).toBe('n1');
      });
      await place.requestMove({ namespace: 'default', name: 'web' }, 'n2');
      for (const each of [one, two]) {
        await sees(each, (view) => {
          expect(view.moves).toEqual(new Map([['default/web', 'n2']]));
        });
      }
      two.store.publishOwnership(
        owned(ownership('n2', 'web', { since: '2026-01-02T03:05:00.000Z', cause: 'Requested' })),
      );
      for (const each of [one, two]) {
        await sees(each, (view) => {
          expect(view.moves.size).toBe(0);
          expect(ownerOf(view, 'web')).toBe('n2');
        });
      }
      // The one before drops it, and nothing of it comes back.
      one.store.publishOwnership(new Map());
      await one.store.idle();
      await sees(two, (view) => {
        expect(ownerOf(view, 'web')).toBe('n2');
      });
    });

    test('a request that names the owner of now is gone soon', async () => {
      const one = start('n1');
      one.store.publishOwnership(owned(ownership('n1', 'web')));
      await one.store.idle();
      await place.requestMove({ namespace: 'default', name: 'web' }, 'n1');
      await sees(one, (view) => {
        expect(one.views.map(({ moves }) => moves.size)).toContain(1);
        expect(view.moves.size).toBe(0);
      });
    });

    test('a speaker that says that it goes lives no more, at once', async () => {
      const [one, two] = [start('n1'), start('n2')];
      await sees(two, (view) => {
        expect(held(view)).toEqual(['n1', 'n2']);
      });
      await one.store.release();
      one.kill();
      await sees(two, (view) => {
        expect(held(view)).toEqual(['n2']);
        expect(view.speakers.get('n1')?.record).toEqual(speakerOf('n1'));
      });
      start('n1');
      await sees(two, (view) => {
        expect(held(view)).toEqual(['n1', 'n2']);
      });
    });

    test('a speaker that is killed lives no more when its time is over; what it owned stays written', async () => {
      const [one, two] = [start('n1'), start('n2')];
      one.store.publishOwnership(owned(ownership('n1', 'web')));
      await sees(two, (view) => {
        expect(held(view)).toEqual(['n1', 'n2']);
        expect(ownerOf(view, 'web')).toBe('n1');
      });
      one.kill();
      await sees(two, (view) => {
        expect(held(view)).toEqual(['n2']);
        expect(ownerOf(view, 'web')).toBe('n1');
      });
    });

    test('out of reach: said, and nothing that was known changes, however long it lasts', async () => {
      const [one, two] = [start('n1'), start('n2')];
      one.store.publishOwnership(owned(ownership('n1', 'web')));
      await sees(two, (view) => {
        expect(held(view)).toEqual(['n1', 'n2']);
        expect(ownerOf(view, 'web')).toBe('n1');
      });
      await place.leave();
      await sees(two, (view) => {
        expect(view.isFresh).toBe(false);
      });
      await delay(place.heldMs * 1.5);
      one.store.publishOwnership(owned(ownership('n1', 'web'), ownership('n1', 'late')));
      expect(held(two.latest())).toEqual(['n1', 'n2']);
      expect(ownerOf(two.latest(), 'web')).toBe('n1');
      const count = two.views.length;
      await place.comeBack();
      await sees(two, (view) => {
        expect(view.isFresh).toBe(true);
        expect(ownerOf(view, 'late')).toBe('n1');
      });
      await delay(place.heldMs * 1.5);
      for (const view of two.views.slice(count)) {
        expect(held(view)).toEqual(['n1', 'n2']);
        expect(ownerOf(view, 'web')).toBe('n1');
      }
    }, 40_000);
  });
}
