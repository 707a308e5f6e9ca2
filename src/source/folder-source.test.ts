import { setTimeout as delay } from 'node:timers/promises';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { atEnd, eventually, tempDir } from '../../test/support/index.ts';
import { formatProblem } from '../core/problem.ts';
import { folderSource } from './folder-source.ts';
import type { Patience } from './manifest-file.ts';
import type { SourceState } from './source.ts';
import { StatusStore } from './status-store.ts';

function service(name: string, port = 80): string {
  return `---\napiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  type: LoadBalancer\n  ports:\n  - port: ${port}\n    protocol: TCP\n`;
}

interface Watched {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly put: (name: string, text: string) => void;
  readonly states: readonly SourceState[];
  /** `name:port` of all Services of the newest state. */
  readonly services: () => string[];
  readonly problems: () => string[];
  readonly close: () => Promise<void>;
}

async function watched(
  options: {
    readonly files?: Readonly<Record<string, string>>;
    readonly source?: string;
    readonly statusFolder?: (folder: string) => string;
    readonly patience?: Partial<Patience>;
  } = {},
): Promise<Watched> {
  const folder = await tempDir();
  const path = (name: string): string => join(folder, name);
  const put = (name: string, text: string): void => {
    writeFileSync(path(name), text);
  };
  for (const [name, text] of Object.entries(options.files ?? {})) put(name, text);
  const states: SourceState[] = [];
  const end = new AbortController();
  const { statusFolder, patience } = options;
  const closed = folderSource({
    path: options.source === undefined ? folder : path(options.source),
    namespace: 'metallb-system',
    ...(statusFolder ? { statusFolder: statusFolder(folder) } : {}),
    ...(patience ? { patience } : {}),
    logger: pino({ level: 'silent' }),
  })((state) => {
    states.push(state);
  }, end.signal);
  const close = async (): Promise<void> => {
    end.abort();
    await closed;
  };
  atEnd(close);
  const newest = (): SourceState => states.at(-1)!;
  return {
    folder,
    path,
    put,
    states,
    services: () =>
      newest().snapshot.objects.Service.map(
        ({ metadata, spec }) => `${metadata.name}:${spec.ports[0]?.port}`,
      ),
    problems: () => newest().problems.map(formatProblem),
    close,
  };
}

/** The services of every state there was, so that a moment in between is seen too. */
function everHad({ states }: Watched, name: string): boolean[] {
  return states.map(({ snapshot }) =>
    snapshot.objects.Service.some(({ metadata }) => metadata.name === name),
  );
}

async function becomes(source: Watched, services: readonly string[]): Promise<void> {
  await eventually(() => {
    expect(source.services()).toEqual(services);
  });
}

describe('the first state', () => {
  test('has all there is', async () => {
    const source = await watched({
      files: { 'b.yaml': service('b'), 'a.yaml': service('a'), 'c.txt': service('c') },
    });
    expect(source.services()).toEqual(['a:80', 'b:80']);
    expect(source.states[0]).toMatchObject({ problems: [], unread: [] });
  });

  test('of an empty folder is empty', async () => {
    const source = await watched();
    expect(source.services()).toEqual([]);
    expect(source.states).toHaveLength(1);
  });

  test('of a broken file has its good documents, and says that it is not all', async () => {
    const source = await watched({ files: { 'a.yaml': `${service('a')}---\nx: [\n` } });
    expect(source.services()).toEqual(['a:80']);
    expect(source.states[0]?.unread).toEqual([source.path('a.yaml')]);
    await eventually(() => {
      expect(source.problems()).toEqual([expect.stringMatching(/^not valid YAML: .*a\.yaml:\d+:\d+\)$/)]);
    });
    source.put('a.yaml', service('a', 81));
    await becomes(source, ['a:81']);
    expect(source.states.at(-1)).toMatchObject({ unread: [], problems: [] });
  });
});

describe('a change', () => {
  test('in place', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    source.put('a.yaml', service('a', 81));
    await becomes(source, ['a:81']);
  });

  test('by a rename', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') + service('b') } });
    source.put('a.yaml.tmp', service('a', 82));
    renameSync(source.path('a.yaml.tmp'), source.path('a.yaml'));
    await becomes(source, ['a:82']);
  });

  test('by appending', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    appendFileSync(source.path('a.yaml'), service('b'));
    await becomes(source, ['a:80', 'b:80']);
  });

  test('a new file, and one in a new folder', async () => {
    const source = await watched();
    source.put('k.yaml', service('k'));
    mkdirSync(source.path('x/y'), { recursive: true });
    source.put('x/y/m.yaml', service('m'));
    await becomes(source, ['k:80', 'm:80']);
    source.put('x/y/m.yaml', service('m', 81));
    await becomes(source, ['k:80', 'm:81']);
    rmSync(source.path('x'), { recursive: true });
    await becomes(source, ['k:80']);
  });

  test('the same size within the tick of the file clock', async () => {
    const source = await watched({ files: { 'a.yaml': service('a', 10) } });
    for (let port = 11; port < 40; port += 1) {
      source.put('a.yaml', service('a', port));
      await becomes(source, [`a:${port}`]);
    }
  });

  test('leaves what did not change the same', async () => {
    const source = await watched({
      files: {
        'a.yaml': service('a') + service('b'),
        'n.yaml': '---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n',
      },
    });
    const before = source.states.at(-1)!.snapshot;
    source.put('a.yaml', service('a') + service('b', 81));
    await becomes(source, ['a:80', 'b:81']);
    const after = source.states.at(-1)!.snapshot;
    expect(after.objects.Node).toBe(before.objects.Node);
    expect(after.objects.Service[0]).toBe(before.objects.Service[0]);
    expect(after.objects.Service[1]).not.toBe(before.objects.Service[1]);
  });

  test('that changes nothing gives no state', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    const idle = [
      (): void => {
        source.put('a.yaml', service('a'));
      },
      (): void => {
        source.put('note.txt', 'x');
      },
      (): void => {
        source.put('c.yaml', '# a comment\n');
      },
    ];
    for (const act of idle) {
      act();
      await delay(50); // a turn of its own for each
    }
    source.put('b.yaml', service('b'));
    await becomes(source, ['a:80', 'b:80']);
    expect(source.states).toHaveLength(2);
  });

  test('two hundred in a row end in the last', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    for (let index = 1; index <= 200; index += 1) {
      if (index % 3 === 0) {
        source.put('a.tmp', service('a', index));
        renameSync(source.path('a.tmp'), source.path('a.yaml'));
      } else {
        source.put('a.yaml', service('a', index));
      }
      if (index % 20 === 0) await delay(1);
    }
    await becomes(source, ['a:200']);
    expect(everHad(source, 'a')).not.toContain(false);
  });
});

describe('nothing is taken away by', () => {
  test('a file truncated and written in pieces', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') + service('b') } });
    const text = service('a', 81) + service('b', 81) + service('c', 81);
    const descriptor = openSync(source.path('a.yaml'), 'w');
    for (let at = 0; at < text.length; at += 40) {
      writeSync(descriptor, text.slice(at, at + 40));
      await delay(8);
    }
    closeSync(descriptor);
    await becomes(source, ['a:81', 'b:81', 'c:81']);
    expect(everHad(source, 'a')).not.toContain(false);
    expect(everHad(source, 'b')).not.toContain(false);
  });

  test('an editor that moves the old file away first', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    renameSync(source.path('a.yaml'), source.path('a.yaml~'));
    await delay(20);
    source.put('a.yaml', '');
    await delay(20);
    source.put('a.yaml', service('a', 81));
    await becomes(source, ['a:81']);
    expect(everHad(source, 'a')).not.toContain(false);
  });

  test('a broken file, which is told of until it is repaired', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') + service('b') } });
    source.put('a.yaml', `${service('a', 81)}---\nkind: Service\n  metadata: [\n`);
    await eventually(() => {
      expect(source.problems()).toEqual([expect.stringMatching(/^not valid YAML: .*a\.yaml:\d+:\d+\)$/)]);
    });
    expect(source.services()).toEqual(['a:80', 'b:80']);
    expect(source.states.at(-1)?.unread).toEqual([]);
    source.put('a.yaml', service('a', 82) + service('b'));
    await becomes(source, ['a:82', 'b:80']);
    expect(source.problems()).toEqual([]);
  });

  test('a binary file', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    writeFileSync(source.path('a.yaml'), Buffer.from([0, 1, 2]));
    await eventually(() => {
      expect(source.problems()).toEqual([expect.stringContaining('NUL bytes')]);
    });
    expect(source.services()).toEqual(['a:80']);
  });

  test('a Service that cannot be read any more', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    source.put('a.yaml', service('a').replace('port: 80', 'port: eighty'));
    await eventually(() => {
      expect(source.problems()).toEqual([
        expect.stringMatching(/^Service default\/a: spec\.ports\[0\]\.port: .*a\.yaml:9:5\)$/),
      ]);
    });
    expect(source.services()).toEqual(['a:80']);
  });

  test('a folder that is away for a moment', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    renameSync(source.folder, `${source.folder}-away`);
    await eventually(() => {
      expect(source.problems()).toEqual([expect.stringContaining('cannot be listed')]);
    });
    await delay(300); // longer than a deleted file is waited for
    expect(source.services()).toEqual(['a:80']);
    renameSync(`${source.folder}-away`, source.folder);
    await eventually(() => {
      expect(source.problems()).toEqual([]);
    });
    expect(source.services()).toEqual(['a:80']);
  });
});

describe('what is gone goes', () => {
  test('a deleted file', async () => {
    const source = await watched({ files: { 'a.yaml': service('a'), 'b.yaml': service('b') } });
    rmSync(source.path('a.yaml'));
    await becomes(source, ['b:80']);
  });

  test('one document of a file', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') + service('b') } });
    source.put('a.yaml', service('b'));
    await becomes(source, ['b:80']);
  });

  test('an emptied file', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') }, patience: { emptyMs: 50 } });
    truncateSync(source.path('a.yaml'));
    await becomes(source, []);
  });

  test('a file moved to another name is never away', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') } });
    renameSync(source.path('a.yaml'), source.path('b.yaml'));
    await delay(300);
    source.put('c.yaml', service('c'));
    await becomes(source, ['a:80', 'c:80']);
    expect(everHad(source, 'a')).not.toContain(false);
    expect(source.states.flatMap(({ problems }) => problems)).toEqual([]);
  });
});

test('the same object in two files is used from the first, and told of', async () => {
  const source = await watched({ files: { 'a.yaml': service('x', 1), 'b.yaml': `# c\n${service('x', 2)}` } });
  expect(source.services()).toEqual(['x:1']);
  expect(source.problems()).toEqual([
    `Service default/x: stands in ${source.path('a.yaml')} too, and that one is used: must stand in one place only (${source.path('b.yaml')}:3:1)`,
  ]);
  rmSync(source.path('a.yaml'));
  await becomes(source, ['x:2']);
  expect(source.problems()).toEqual([]);
});

test('a mounted ConfigMap changes all its files at once', async () => {
  const folder = await tempDir();
  const version = (name: string, port: number): void => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'a.yaml'), service('a', port));
    writeFileSync(join(folder, name, 'b.yaml'), service('b', port));
  };
  version('..one', 1);
  symlinkSync('..one', join(folder, '..data'));
  for (const name of ['a.yaml', 'b.yaml']) symlinkSync(`..data/${name}`, join(folder, name));
  const states: SourceState[] = [];
  const end = new AbortController();
  const closed = folderSource({
    path: folder,
    namespace: 'metallb-system',
    logger: pino({ level: 'silent' }),
  })((state) => {
    states.push(state);
  }, end.signal);
  atEnd(async () => {
    end.abort();
    await closed;
  });
  const ports = (state: SourceState): (number | undefined)[] =>
    state.snapshot.objects.Service.map(({ spec }) => spec.ports[0]?.port);
  expect(ports(states[0]!)).toEqual([1, 1]);
  await delay(50); // until it is watched
  version('..two', 2);
  symlinkSync('..two', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  rmSync(join(folder, '..one'), { recursive: true });
  await eventually(() => {
    expect(ports(states.at(-1)!)).toEqual([2, 2]);
  });
  expect(states.map(ports)).not.toContainEqual([]);
});

test('one file as the source', async () => {
  const source = await watched({
    files: { 'a.yaml': service('a'), 'b.yaml': service('b') },
    source: 'a.yaml',
  });
  expect(source.services()).toEqual(['a:80']);
  source.put('b.yaml', service('b', 81));
  source.put('a.tmp', service('a', 81));
  renameSync(source.path('a.tmp'), source.path('a.yaml'));
  await becomes(source, ['a:81']);
});

describe('statuses', () => {
  const statusFolder = (folder: string): string => join(folder, '.status');
  const shown = ({ states }: Watched): string[] =>
    states
      .at(-1)!
      .snapshot.objects.Service.map(
        ({ metadata, status }) =>
          `${metadata.name} ${status.ingress.map(({ ip }) => ip).join()} ${metadata.annotations['metallb.io/ip-allocated-from-pool'] ?? '-'}`,
      );

  test('are those of the status folder', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') + service('b') }, statusFolder });
    const store = new StatusStore(statusFolder(source.folder));
    store.set({ namespace: 'default', name: 'a', ingress: ['192.0.2.1'], pool: 'first' });
    store.flush();
    await eventually(() => {
      expect(shown(source)).toEqual(['a 192.0.2.1 first', 'b  -']);
    });
    const [, untouched] = source.states.at(-1)!.snapshot.objects.Service;
    store.set({ namespace: 'default', name: 'a', ingress: ['192.0.2.2'], pool: 'first' });
    store.flush();
    await eventually(() => {
      expect(shown(source)[0]).toBe('a 192.0.2.2 first');
    });
    expect(source.states.at(-1)!.snapshot.objects.Service[1]).toBe(untouched);
    // A new version of the manifest keeps the status.
    source.put('a.yaml', service('a', 81) + service('b'));
    await becomes(source, ['a:81', 'b:80']);
    expect(shown(source)[0]).toBe('a 192.0.2.2 first');
    store.remove({ namespace: 'default', name: 'a' });
    store.flush();
    await eventually(() => {
      expect(shown(source)).toEqual(['a  -', 'b  -']);
    });
  });

  test('are put back by their writer before they are missed', async () => {
    const source = await watched({ files: { 'a.yaml': service('a') }, statusFolder });
    const store = new StatusStore(statusFolder(source.folder));
    store.set({ namespace: 'default', name: 'a', ingress: ['192.0.2.1'] });
    store.flush();
    await eventually(() => {
      expect(shown(source)).toEqual(['a 192.0.2.1 -']);
    });
    const before = source.states.length;
    rmSync(statusFolder(source.folder), { recursive: true });
    store.checkFiles();
    store.flush();
    source.put('b.yaml', service('b'));
    await becomes(source, ['a:80', 'b:80']);
    // The folder is another one now: it must be watched again.
    store.set({ namespace: 'default', name: 'b', ingress: ['192.0.2.2'] });
    store.flush();
    await eventually(() => {
      expect(shown(source)).toEqual(['a 192.0.2.1 -', 'b 192.0.2.2 -']);
    });
    const since = source.states.slice(before);
    expect(since.every(({ snapshot }) => snapshot.objects.Service[0]?.status.ingress.length === 1)).toBe(
      true,
    );
  });

  test('of the manifests count only without a status folder', async () => {
    const text = `${service('a')}status:\n  loadBalancer:\n    ingress:\n    - ip: 192.0.2.7\n`;
    expect(shown(await watched({ files: { 'a.yaml': text } }))).toEqual(['a 192.0.2.7 -']);
    expect(shown(await watched({ files: { 'a.yaml': text }, statusFolder }))).toEqual(['a  -']);
  });
});

test('after the end nothing is given out', async () => {
  const source = await watched({ files: { 'a.yaml': service('a') } });
  await source.close();
  source.put('a.yaml', service('a', 81));
  await delay(100);
  expect(source.states).toHaveLength(1);
});
