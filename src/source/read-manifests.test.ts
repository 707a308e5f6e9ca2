import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import { formatProblem } from '../core/problem.ts';
import { readManifests, STDIN_PATH } from './read-manifests.ts';
import type { SourceState } from './source.ts';
import { StatusStore } from './status-store.ts';

const folder = await tempDir();
let count = 0;

function file(content: string | Buffer, name = `f${(count += 1)}.yaml`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function read(...paths: readonly string[]): SourceState {
  return readManifests({ paths, namespace: 'metallb-system' });
}

/** Problems without the folder of this run. */
function problemsOf(state: SourceState): string[] {
  return state.problems.map(
    (problem) => `${problem.reason}: ${formatProblem(problem).replaceAll(`${folder}/`, '')}`,
  );
}

const NODE = 'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n';
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer}\n';

describe('bad input', () => {
  test.each<{ name: string; content: string | Buffer; want: RegExp[]; nodes?: number }>([
    {
      name: 'broken YAML',
      content: `${NODE}---\na: [\n`,
      want: [/^InvalidSyntax: not valid YAML: .* \(\w+\.yaml:6:1\)$/],
      nodes: 1,
    },
    { name: 'broken JSON', content: '{"kind": "Node",, }', want: [/^InvalidSyntax: .*:1:17\)$/] },
    {
      name: 'a duplicate key',
      content: `${NODE}kind: Node\n`,
      want: [/^InvalidSyntax: .*duplicated mapping key \(\w+\.yaml:4:1\)$/],
    },
    {
      name: 'a kind we do not know',
      content: `${NODE}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n`,
      want: [/^UnknownKind: .*Deployment.*:6:1\)$/],
      nodes: 1,
    },
    {
      name: 'a field we do not know',
      content:
        'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: p, namespace: metallb-system}\nspec:\n  addresses: [192.0.2.0/24]\n  autoasign: true\n',
      want: [/^UnknownField: IPAddressPool metallb-system\/p: spec\.autoasign: .*autoAssign.*:6:3\)$/],
    },
    { name: 'a text alone', content: 'hello\n', want: [/^InvalidSyntax: .*:1:1\)$/] },
    { name: 'nothing', content: '', want: [] },
    { name: 'comments alone', content: '# a\n---\n# b\n', want: [] },
    {
      name: 'a binary file',
      content: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]),
      want: [/^FileUnreadable: .*NUL bytes.*:1:1\)$/],
    },
    {
      name: 'another encoding',
      content: Buffer.from('kind: Nöde', 'latin1'),
      want: [/^FileUnreadable: .*UTF-8.*:1:1\)$/],
    },
    {
      name: 'the same object twice',
      content: `${NODE}---\n${NODE}`,
      want: [/^DuplicateObject: Node n1: stands a second time in this file.*:5:1\)$/],
      nodes: 1,
    },
  ])('$name', ({ content, want, nodes = 0 }) => {
    const state = read(file(content));
    expect(problemsOf(state)).toEqual(want.map((each) => expect.stringMatching(each) as string));
    expect(state.snapshot.objects.Node).toHaveLength(nodes);
  });

  test('10 MB', () => {
    const filler = `# ${'x'.repeat(1_000)}\n`.repeat(10_000);
    const state = read(file(`${filler}---\n${NODE}---\n${SERVICE}`));
    expect(state.problems).toEqual([]);
    expect(state.snapshot.objects.Service).toHaveLength(1);
  });

  test('a path that is not there', () => {
    const state = read(join(folder, 'none.yaml'), file(NODE));
    expect(problemsOf(state)).toEqual(['FileUnreadable: does not exist (none.yaml:1:1)']);
    expect(state.unread).toEqual([join(folder, 'none.yaml')]);
    expect(state.snapshot.objects.Node).toHaveLength(1);
  });
});

test('folders, files and standard input together', () => {
  const root = join(folder, 'tree');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(
    join(root, 'sub', 'a.json'),
    JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } }),
  );
  writeFileSync(join(root, 'b.yml'), NODE.replace('n1', 'b'));
  const stdin = Buffer.from(
    `apiVersion: v1\nkind: List\nitems:\n- ${NODE.trimEnd().replaceAll('\n', '\n  ')}\n`,
  );
  const state = readManifests({
    paths: [root, STDIN_PATH, join(root, 'b.yml')],
    namespace: 'metallb-system',
    stdin,
  });
  expect(state.snapshot.objects.Node.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'n1']);
  expect(state.problems).toEqual([]);
});

test('a problem in standard input names it', () => {
  const state = readManifests({
    paths: [STDIN_PATH],
    namespace: 'metallb-system',
    stdin: Buffer.from('a: ['),
  });
  expect(state.problems.map(({ position }) => position?.file)).toEqual(['<stdin>']);
});

test('statuses are those of the controller, else those of the manifests', async () => {
  const root = await tempDir();
  const withStatus = `${SERVICE}status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}\n`;
  writeFileSync(join(root, 'a.yaml'), `${withStatus}---\n${withStatus.replace('web', 'other')}`);
  const store = new StatusStore(join(root, '.status'));
  store.set({ namespace: 'default', name: 'web', ingress: ['192.0.2.1'] });
  store.flush();
  const { Service: services } = read(root).snapshot.objects;
  expect(services.map(({ metadata, status }) => [metadata.name, status.ingress[0]?.ip])).toEqual([
    ['other', '192.0.2.9'],
    ['web', '192.0.2.1'],
  ]);
});
