import { describe, expect, test } from 'vitest';
import type { ApiObject, ClusterSnapshot, ServiceObject } from '../api/index.ts';
import { formatProblem } from '../core/problem.ts';
import { emptyManifestFile, type ManifestFile } from './manifest-file.ts';
import { ObjectIndex } from './object-index.ts';
import { statementsOf, type ParsedDocument } from './parsed-document.ts';

function documentOf(...objects: readonly ApiObject[]): ParsedDocument {
  return { statements: statementsOf(objects, []), problems: [], text: '' };
}

function rejected(kind: string, name: string): ParsedDocument {
  return { statements: statementsOf([], [{ kind, namespace: 'n', name }]), problems: [], text: '' };
}

function node(name: string, mark = ''): ApiObject {
  return {
    kind: 'Node',
    metadata: { name, namespace: '', labels: { mark }, annotations: {} },
    spec: { networkUnavailable: false, unschedulable: false },
  };
}

function service(name: string): ServiceObject {
  return {
    kind: 'Service',
    metadata: { name, namespace: 'n', labels: {}, annotations: {} },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: [],
      ipFamilies: [],
      ipFamilyPolicy: 'SingleStack',
      externalTrafficPolicy: 'Cluster',
      selector: {},
      ports: [],
    },
    status: { ingress: [] },
  };
}

/** An index, and a way to give it the next state of a file. */
function indexed(completeService = (each: ServiceObject): ServiceObject => each): {
  index: ObjectIndex;
  put: (
    path: string,
    documents: readonly ParsedDocument[],
    leaving?: readonly ParsedDocument[],
  ) => ClusterSnapshot;
} {
  const index = new ObjectIndex({ namespace: 'metallb-system', completeService });
  const files = new Map<string, ManifestFile>();
  return {
    index,
    put: (path, documents, leaving = []) => {
      const before = files.get(path) ?? emptyManifestFile(path);
      const after = { ...before, documents, leaving: new Set(leaving) };
      files.set(path, after);
      index.update(before, after);
      return index.snapshot();
    },
  };
}

const marks = (snapshot: ClusterSnapshot): string[] =>
  snapshot.objects.Node.map(({ metadata }) => `${metadata.name}${metadata.labels.mark}`);

describe('snapshots', () => {
  test('are sorted, and keep what did not change', () => {
    const { put } = indexed();
    const [b, a] = [documentOf(node('b')), documentOf(node('a'))];
    const first = put('1.yaml', [b, a]);
    expect(marks(first)).toEqual(['a', 'b']);
    const second = put('1.yaml', [b, a, documentOf(service('s'))]);
    expect(second).not.toBe(first);
    expect(second.objects.Node).toBe(first.objects.Node);
    expect(second.objects.Service).toHaveLength(1);
    expect(put('1.yaml', [a, b, second.objects.Service.map((each) => documentOf(each))[0]!]).objects).toBe(
      second.objects,
    );
  });

  test('the same files again give the very snapshot', () => {
    const { put } = indexed();
    const documents = [documentOf(node('a'))];
    const first = put('1.yaml', documents);
    expect(put('1.yaml', documents)).toBe(first);
  });
});

describe('an object in two files', () => {
  test('is taken from the file it was taken from before', () => {
    const { index, put } = indexed();
    const second = documentOf(node('x', '2'));
    put('2.yaml', [second]);
    expect(marks(put('1.yaml', [documentOf(node('x', '1'))]))).toEqual(['x2']);
    expect(index.duplicateProblems(() => 7).map(formatProblem)).toEqual([
      'Node x: stands in 2.yaml too, and that one is used: must stand in one place only (1.yaml:7:1)',
    ]);
    // An edit of the one in use does not hand it over.
    expect(marks(put('2.yaml', [documentOf(node('x', '3'))]))).toEqual(['x3']);
    expect(marks(put('2.yaml', []))).toEqual(['x1']);
    expect(index.duplicateProblems(() => 1)).toEqual([]);
  });

  test('twice in one file is the first', () => {
    const { index, put } = indexed();
    expect(marks(put('1.yaml', [documentOf(node('x', '1')), documentOf(node('x', '2'))]))).toEqual(['x1']);
    expect(index.duplicateProblems(() => 1)).toMatchObject([
      { reason: 'DuplicateObject', severity: 'error' },
    ]);
  });

  test('what is about to leave its file gives way, without a complaint', () => {
    const { index, put } = indexed();
    const old = documentOf(node('x', '1'));
    put('1.yaml', [old]);
    put('1.yaml', [old], [old]);
    expect(marks(put('2.yaml', [documentOf(node('x', '2'))]))).toEqual(['x2']);
    expect(index.duplicateProblems(() => 1)).toEqual([]);
    // It is back after all: the one in use stays.
    expect(marks(put('1.yaml', [old]))).toEqual(['x1']);
    expect(index.duplicateProblems(() => 1)).toMatchObject([{ position: { file: '2.yaml' } }]);
  });

  test('leaving and alone, it stays until it is gone', () => {
    const { put } = indexed();
    const old = documentOf(node('x', '1'));
    put('1.yaml', [old]);
    expect(marks(put('1.yaml', [old], [old]))).toEqual(['x1']);
    expect(marks(put('1.yaml', []))).toEqual([]);
  });
});

describe('an object that cannot be read', () => {
  test('keeps its last good version, when it is of a kind of the core', () => {
    const { put } = indexed();
    put('1.yaml', [documentOf(service('s'))]);
    const snapshot = put('1.yaml', [rejected('Service', 's')]);
    expect(snapshot.objects.Service).toHaveLength(1);
    expect(snapshot.rejected).toEqual([{ kind: 'Service', namespace: 'n', name: 's' }]);
    expect(put('1.yaml', [rejected('Service', 's')]).objects.Service).toHaveLength(1);
    expect(put('1.yaml', [])).toMatchObject({ objects: { Service: [] }, rejected: [] });
  });

  test('is told of and left to others, when it is configuration', () => {
    const { put } = indexed();
    const pool: ApiObject = {
      kind: 'IPAddressPool',
      metadata: { name: 'p', namespace: 'n', labels: {}, annotations: {} },
      spec: { addresses: [], autoAssign: true, avoidBuggyIPs: false },
    };
    put('1.yaml', [documentOf(pool)]);
    const snapshot = put('1.yaml', [rejected('IPAddressPool', 'p')]);
    expect(snapshot.objects.IPAddressPool).toEqual([]);
    expect(snapshot.rejected).toEqual([{ kind: 'IPAddressPool', namespace: 'n', name: 'p' }]);
    expect(put('1.yaml', [documentOf(pool)]).rejected).toEqual([]);
  });

  test('the list of them keeps its identity', () => {
    const { put } = indexed();
    const first = put('1.yaml', [rejected('BGPPeer', 'p')]);
    expect(put('2.yaml', [documentOf(node('a'))]).rejected).toBe(first.rejected);
  });
});

test('Services are completed, and looked at again on request', () => {
  let pool = 'one';
  const { index, put } = indexed((each) => ({
    ...each,
    metadata: { ...each.metadata, annotations: { pool } },
  }));
  const first = put('1.yaml', [documentOf(service('s')), documentOf(service('t'))]);
  expect(first.objects.Service.map(({ metadata }) => metadata.annotations.pool)).toEqual(['one', 'one']);
  pool = 'two';
  expect(index.snapshot()).toBe(first);
  index.touchServices([
    { namespace: 'n', name: 's' },
    { namespace: 'n', name: 'none' },
  ]);
  const second = index.snapshot();
  expect(second.objects.Service.map(({ metadata }) => metadata.annotations.pool)).toEqual(['two', 'one']);
  expect(second.objects.Service[1]).toBe(first.objects.Service[1]);
});
