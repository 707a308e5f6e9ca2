import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../core/problem.ts';
import {
  afterDoubt,
  afterRead,
  emptyManifestFile,
  PATIENCE,
  type FileContent,
  type ManifestFile,
} from './manifest-file.ts';
import { createDocumentParser } from './parsed-document.ts';

const parse = createDocumentParser({ defaultNamespace: 'default', metallbNamespace: 'metallb-system' });

function service(name: string, port = 80): string {
  return `---\napiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  type: LoadBalancer\n  ports:\n  - port: ${port}\n    protocol: TCP\n`;
}

function pool(...addresses: string[]): string {
  const items = addresses.map((address) => `  - ${address}\n`).join('');
  return `---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: p\n  namespace: metallb-system\nspec:\n  addresses:\n${items}`;
}

function text(content: string, placedWhole = false): FileContent {
  return { kind: 'text', text: content, placedWhole };
}

/** Reads one content after the other, a millisecond apart. */
function read(...contents: readonly FileContent[]): ManifestFile {
  return contents.reduce(
    (file, content, index) => afterRead(file, content, { now: index, patience: PATIENCE, parse }),
    emptyManifestFile('m.yaml'),
  );
}

/** `name:port` of the Services and `name:count` of the pools in use; in brackets what is about to leave. */
function inUse(file: ManifestFile): string[] {
  return file.documents.map((document) => {
    const names = document.statements.map(({ ref, object }) => {
      if (object?.kind === 'Service') return `${object.metadata.name}:${object.spec.ports[0]?.port}`;
      return object?.kind === 'IPAddressPool' ? `p:${object.spec.addresses.length}` : ref.name;
    });
    return file.leaving.has(document) ? `(${names.join()})` : names.join();
  });
}

const missing: FileContent = { kind: 'missing' };
const unreadable: FileContent = {
  kind: 'unreadable',
  problem: {
    field: '',
    reason: 'FileUnreadable',
    message: 'cannot be read',
    transient: false,
    severity: 'error',
  },
};
const broken = '---\nkind: [\n';

describe('what is in use of a file', () => {
  const ab = text(service('a') + service('b'));
  test.each([
    { name: 'a first version', reads: [ab], now: ['a:80', 'b:80'] },
    {
      name: 'one more',
      reads: [ab, text(service('a') + service('b') + service('c'))],
      now: ['a:80', 'b:80', 'c:80'],
    },
    { name: 'one changed', reads: [ab, text(service('a', 81) + service('b'))], now: ['a:81', 'b:80'] },
    {
      name: 'one less',
      reads: [ab, text(service('b'))],
      now: ['b:80', '(a:80)'],
      later: ['b:80'],
      waitMs: PATIENCE.fewerMs,
    },
    {
      name: 'one less in a file that was put in place whole',
      reads: [ab, text(service('b'), true)],
      now: ['b:80', '(a:80)'],
      later: ['b:80'],
      waitMs: PATIENCE.fewerWholeMs,
    },
    {
      name: 'one exchanged for another',
      reads: [ab, text(service('a') + service('c'))],
      now: ['a:80', 'c:80', '(b:80)'],
      later: ['a:80', 'c:80'],
      waitMs: PATIENCE.fewerMs,
    },
    { name: 'two exchanged in place', reads: [ab, text(service('b') + service('a'))], now: ['b:80', 'a:80'] },
    { name: 'empty', reads: [ab, text('')], now: ['(a:80)', '(b:80)'], later: [], waitMs: PATIENCE.emptyMs },
    {
      name: 'comments alone',
      reads: [ab, text('# gone\n')],
      now: ['(a:80)', '(b:80)'],
      later: [],
      waitMs: PATIENCE.emptyMs,
    },
    { name: 'missing', reads: [ab, missing], now: ['(a:80)', '(b:80)'], later: [], waitMs: PATIENCE.goneMs },
    { name: 'missing, then back', reads: [ab, missing, ab], now: ['a:80', 'b:80'] },
    { name: 'empty, then written', reads: [ab, text(''), ab], now: ['a:80', 'b:80'] },
    { name: 'unreadable', reads: [ab, unreadable], now: ['a:80', 'b:80'] },
    {
      name: 'broken',
      reads: [ab, text(service('c') + broken)],
      now: ['a:80', 'b:80'],
      later: ['a:80', 'b:80'],
      waitMs: PATIENCE.fewerMs,
    },
    {
      name: 'broken, then repaired',
      reads: [ab, text(broken), text(service('a', 82))],
      now: ['a:82', '(b:80)'],
      later: ['a:82'],
      waitMs: PATIENCE.fewerMs,
    },
    {
      name: 'broken from the start',
      reads: [text(service('a') + broken)],
      now: ['a:80'],
      later: ['a:80'],
      waitMs: PATIENCE.fewerMs,
    },
    { name: 'never there', reads: [missing], now: [] },
    {
      name: 'the last document cut off',
      reads: [text(pool('192.0.2.0/28', '198.51.100.0/28')), text(pool('192.0.2.0/28'))],
      now: ['(p:2)'],
      later: ['p:1'],
      waitMs: PATIENCE.fewerMs,
    },
    {
      name: 'the same in front of another document',
      reads: [
        text(pool('192.0.2.0/28', '198.51.100.0/28') + service('a')),
        text(pool('192.0.2.0/28') + service('a')),
      ],
      now: ['p:1', 'a:80'],
    },
    {
      name: 'the last document made longer',
      reads: [text(pool('192.0.2.0/28')), text(pool('192.0.2.0/28', '198.51.100.0/28'))],
      now: ['p:2'],
    },
    {
      name: 'blank lines at the end gone',
      reads: [text(`${service('a')}\n\n`), text(service('a'))],
      now: ['a:80'],
    },
  ] as { name: string; reads: FileContent[]; now: string[]; later?: string[]; waitMs?: number }[])(
    '$name',
    ({ reads, now, later, waitMs }) => {
      const file = read(...reads);
      expect(inUse(file)).toEqual(now);
      expect(file.doubt && file.doubt.until - (reads.length - 1)).toBe(waitMs);
      if (later) expect(inUse(afterDoubt(file))).toEqual(later);
    },
  );

  test('a file that never rests is believed in the end', () => {
    let file = read(text(service('a') + service('b')));
    const first = 10;
    for (let now = first; now < first + 2 * PATIENCE.restlessMs; now += 50) {
      file = afterRead(file, text(`${service('b')}# ${now}\n`), { now, patience: PATIENCE, parse });
      if (!file.doubt || file.doubt.until <= now) break;
    }
    expect(file.doubt?.until).toBe(first + PATIENCE.restlessMs);
  });

  test('that it is broken is said once the writer must be done', () => {
    const file = read(text(service('a')), text(`${service('a')}---\nkind: [\n`));
    expect(file.problems).toEqual([]);
    expect(afterDoubt(file).problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^not valid YAML: .* \(m\.yaml:\d+:\d+\)$/),
    ]);
  });

  test('a file that was read whole once is known, one that was not is not', () => {
    expect(read(text(broken)).wasWhole).toBe(false);
    expect(read(unreadable).wasWhole).toBe(false);
    expect(read(text(broken), text(service('a'))).wasWhole).toBe(true);
    expect(read(text(service('a')), text(broken)).wasWhole).toBe(true);
    expect(read(missing).wasWhole).toBe(true);
  });

  test('positions move with the text above', () => {
    const bad = '---\nkind: Service\napiVersion: v1\nmetadata: {name: x}\nspec: {type: 7}\n';
    const lines = [read(text(bad)), read(text(bad), text(`# one\n# two\n${bad}`))].map(
      (file) => file.problems[0]?.position?.line,
    );
    expect(lines[0]).toBeDefined();
    expect(lines[1]).toBe(lines[0]! + 2);
  });

  test('problems come and go with their documents', () => {
    const bad = (name: string): string => service(name).replace('port: 80', 'port: eighty');
    const wrong = (...contents: string[]): (string | undefined)[] =>
      afterDoubt(read(...contents.map((each) => text(each)))).problems.map(({ resource }) => resource?.name);
    expect(wrong(service('a'), service('a') + bad('b'))).toEqual(['b']);
    expect(wrong(bad('a') + bad('b'), bad('a') + service('b'))).toEqual(['a']);
    expect(wrong(bad('a') + bad('b'), bad('b') + bad('a'))).toEqual(['b', 'a']);
    expect(wrong(bad('a') + bad('a'), bad('a'))).toEqual(['a']);
    expect(wrong(bad('a'), service('a'))).toEqual([]);
  });

  const names = ['a', 'b', 'c', 'd'];
  const whole = fc
    .uniqueArray(fc.record({ name: fc.constantFrom(...names), port: fc.integer({ min: 1, max: 3 }) }), {
      selector: ({ name }) => name,
    })
    .map((services) => services.map(({ name, port }) => service(name, port)).join(''));

  test('a version written piece by piece takes nothing away, and is in use in the end', () => {
    fc.assert(
      fc.property(whole, whole, fc.array(fc.nat(), { maxLength: 5 }), (before, after, cuts) => {
        const partly = cuts.map((cut) => cut % (after.length + 1)).sort((a, b) => a - b);
        let file = read(text(before));
        const had = new Set(inUse(file).map((each) => each.split(':')[0]));
        for (const [index, cut] of partly.entries()) {
          file = afterRead(file, text(after.slice(0, cut)), { now: 1 + index, patience: PATIENCE, parse });
          const has = new Set(inUse(file).map((each) => each.replace('(', '').split(':')[0]));
          expect([...had].filter((name) => !has.has(name))).toEqual([]);
        }
        file = afterRead(file, text(after), { now: 50, patience: PATIENCE, parse });
        expect(inUse(afterDoubt(file))).toEqual(inUse(read(text(after))));
      }),
    );
  });
});
