import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dump } from 'js-yaml';
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { describeLayer2Store, owned, ownership, speakerOf } from '../../test/support/layer2-store.ts';
import { eventually, tempDir } from '../../test/support/index.ts';
import { statusOfOwnership, type Layer2View } from '../l2/index.ts';
import { renderOwnedFile } from './layer2-files.ts';
import { folderLayer2Store, requestFolderMove } from './layer2-store.ts';

const TIMING = { renewMs: 200, heldMs: 800, judgeMs: 50 };
const logger = pino({ level: 'silent' });

describeLayer2Store('a folder as the place of layer 2', async () => {
  const source = join(await tempDir(), 'source');
  mkdirSync(source);
  const folder = join(source, '.status');
  return {
    heldMs: TIMING.heldMs,
    open: (node, signal) =>
      folderLayer2Store({ folder, node, serviceExists: () => true, timing: TIMING, logger, signal }),
    requestMove: (service, node) => {
      requestFolderMove(folder, { service, node });
      return Promise.resolve();
    },
    leave: () => {
      renameSync(source, `${source}.away`);
      return Promise.resolve();
    },
    comeBack: () => {
      renameSync(`${source}.away`, source);
      return Promise.resolve();
    },
  };
});

describe('the files', () => {
  let folder: string;
  let ends: AbortController[];

  beforeEach(async () => {
    folder = join(await tempDir(), '.status');
    ends = [];
    return () => {
      for (const end of ends) end.abort();
    };
  });

  function start(
    node: string,
    serviceExists: (key: string) => boolean | undefined = () => true,
  ): Layer2View[] {
    const end = new AbortController();
    ends.push(end);
    const store = folderLayer2Store({
      folder,
      node,
      serviceExists,
      timing: TIMING,
      logger,
      signal: end.signal,
    });
    const views: Layer2View[] = [];
    store.start((view) => views.push(view));
    store.publishSpeaker(speakerOf(node));
    return views;
  }

  const filesNow = (): string[] => readdirSync(folder).filter((name) => name.startsWith('l2-'));

  test('that other tools write in other words say the same', async () => {
    const views = start('n1');
    const record = ownership('n2', 'web');
    const items = [{ status: statusOfOwnership(record) }];
    const list = { apiVersion: 'metallb.io/v1beta1', kind: 'ServiceL2StatusList', items };
    writeFileSync(join(folder, 'l2-owned-n2.yaml'), dump(list));
    await eventually(() => {
      expect(views.at(-1)?.ownerships).toEqual(owned(record));
    });
  });

  test.each([
    { name: 'no YAML', text: 'kind: [' },
    { name: 'another kind', text: 'apiVersion: v1\nkind: List\nitems: []\n' },
    { name: "another node's", text: renderOwnedFile([ownership('n3', 'web')]) },
    { name: 'no text', text: Buffer.from([0xff, 0xfe, 0x00, 0xd8]) },
  ])('that say nothing ($name) take nothing away', async ({ text }) => {
    const views = start('n1');
    const path = join(folder, 'l2-owned-n2.yaml');
    writeFileSync(path, renderOwnedFile([ownership('n2', 'web')]));
    await eventually(() => {
      expect(views.at(-1)?.ownerships.size).toBe(1);
    });
    writeFileSync(path, text);
    writeFileSync(join(folder, 'l2-owned-n4.yaml'), renderOwnedFile([ownership('n4', 'mail')]));
    await eventually(() => {
      expect([...(views.at(-1)?.ownerships.keys() ?? [])].sort()).toEqual(['default/mail', 'default/web']);
    });
  });

  test('that are deleted are put back, and until then believed', async () => {
    const views = start('n1');
    const end = new AbortController();
    ends.push(end);
    const other = folderLayer2Store({
      ...{ folder, node: 'n2', serviceExists: () => true, timing: TIMING, logger, signal: end.signal },
    });
    other.start(() => undefined);
    other.publishSpeaker(speakerOf('n2'));
    other.publishOwnership(owned(ownership('n2', 'web')));
    await eventually(() => {
      expect(views.at(-1)?.ownerships.size).toBe(1);
    });
    const count = views.length;
    for (const name of filesNow()) rmSync(join(folder, name));
    await eventually(() => {
      expect(filesNow().sort()).toEqual(['l2-owned-n2.yaml', 'l2-speaker-n1.yaml', 'l2-speaker-n2.yaml']);
    });
    await delay(TIMING.heldMs * 1.5);
    for (const view of views.slice(count)) {
      expect(view.ownerships.size).toBe(1);
      expect(view.speakers.get('n2')?.isHeld).toBe(true);
    }
  });

  test('of nodes that are gone are removed when their Services are gone or others have them', async () => {
    const gone = new Set(['default/gone']);
    mkdirSync(folder);
    writeFileSync(join(folder, 'l2-owned-n7.yaml'), renderOwnedFile([ownership('n7', 'gone')]));
    writeFileSync(
      join(folder, 'l2-owned-n8.yaml'),
      renderOwnedFile([ownership('n8', 'gone'), ownership('n8', 'web')]),
    );
    const newer = ownership('n2', 'web', { since: '2026-01-03T00:00:00.000Z' });
    writeFileSync(join(folder, 'l2-owned-n9.yaml'), renderOwnedFile([ownership('n9', 'mail')]));
    const views = start('n1', (key) => !gone.has(key));
    const views2 = start('n2');
    await eventually(() => {
      expect(filesNow()).not.toContain('l2-owned-n7.yaml');
    });
    expect(filesNow()).toEqual(expect.arrayContaining(['l2-owned-n8.yaml', 'l2-owned-n9.yaml']));
    writeFileSync(join(folder, 'l2-owned-n2.yaml'), renderOwnedFile([newer]));
    await eventually(() => {
      expect(filesNow()).not.toContain('l2-owned-n8.yaml');
    });
    for (const each of [views, views2]) {
      await eventually(() => {
        expect(each.at(-1)?.ownerships.get('default/mail')?.node).toBe('n9');
        expect(each.at(-1)?.ownerships.has('default/gone')).toBe(false);
      });
    }
  });

  test('a thousand records are written and seen as one', async () => {
    const views = start('n1');
    const records = Array.from({ length: 1_000 }, (_, index) => ownership('n2', `web-${String(index)}`));
    writeFileSync(join(folder, 'l2-owned-n2.yaml'), renderOwnedFile(records));
    await eventually(() => {
      expect(views.at(-1)?.ownerships.size).toBe(1_000);
    });
    const before = views.at(-1);
    writeFileSync(
      join(folder, 'l2-owned-n2.yaml'),
      renderOwnedFile(records.map((each, index) => (index === 5 ? { ...each, nextOwner: 'n1' } : each))),
    );
    await eventually(() => {
      expect(views.at(-1)?.ownerships.get('default/web-5')?.nextOwner).toBe('n1');
    });
    const changed = [...(views.at(-1)?.ownerships ?? [])].filter(
      ([key, record]) => before?.ownerships.get(key) !== record,
    );
    expect(changed.map(([key]) => key)).toEqual(['default/web-5']);
  });
});
