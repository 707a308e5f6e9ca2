import { isDeepStrictEqual } from 'node:util';
import type { ServiceObject } from '../api/index.ts';
import type { Problem } from '../core/problem.ts';
import {
  createDocumentParser,
  ObjectIndex,
  type IndexedFile,
  type ParsedDocument,
  type SourceState,
} from '../source/index.ts';
import { keyOfRaw, type RawObject } from './raw-object.ts';
import type { ResourceQuery, ResourceType } from './resources.ts';
import { trimmed } from './trim.ts';

export interface ClusterStoreOptions {
  /** Where metallb.io objects are read from. */
  readonly namespace: string;
  /**
   * Whether the newer version of a Service says nothing that matters here: the older one is kept then. For the controller
   * these are the echoes of what it has written itself.
   */
  readonly isEcho?: (before: ServiceObject, after: ServiceObject) => boolean;
}

const NONE_LEAVING: ReadonlySet<ParsedDocument> = new Set();

/**
 * The objects of the API server, read and kept by kind and name. Each takes the place that a file of manifests has in the
 * folder source, so that legacy objects, unreadable ones and doubles are dealt with in one way.
 */
export class ClusterStore {
  readonly #index: ObjectIndex;
  readonly #parse: ReturnType<typeof createDocumentParser>;
  readonly #isEcho: NonNullable<ClusterStoreOptions['isEcho']>;
  /** What stands at each path, in one document. */
  readonly #documents = new Map<string, ParsedDocument>();
  readonly #wrong = new Map<string, readonly Problem[]>();
  #problems: readonly Problem[] = [];

  constructor({ namespace, isEcho = () => false }: ClusterStoreOptions) {
    this.#index = new ObjectIndex({ namespace, completeService: (service) => service });
    this.#parse = createDocumentParser({ defaultNamespace: namespace, metallbNamespace: namespace });
    this.#isEcho = isEcho;
  }

  /** @returns whether anything that somebody reads is another than before */
  put(type: ResourceType, raw: RawObject): boolean {
    const path = pathOf(type, keyOfRaw(raw));
    const value = trimmed(raw, type);
    const parsed = this.#parse({ value, file: path, line: 1, text: '', firstLine: 1, index: 0 });
    const known = this.#documents.get(path);
    if (known && this.#saysTheSame(known, parsed)) return false;
    this.#replace(path, parsed);
    return true;
  }

  remove(type: ResourceType, key: string): boolean {
    const path = pathOf(type, key);
    if (!this.#documents.has(path)) return false;
    this.#replace(path, undefined);
    return true;
  }

  /** Drops the objects of a query that are not among these keys. @returns the keys of those */
  retain(query: ResourceQuery, keys: ReadonlySet<string>): readonly string[] {
    const prefix = pathOf(query.type, '');
    const gone = [...this.#documents.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .filter((key) => belongsTo(query, key) && !keys.has(key));
    for (const key of gone) this.remove(query.type, key);
    return gone;
  }

  state(): SourceState {
    const snapshot = this.#index.snapshot();
    const doubles = this.#index.duplicateProblems(() => 1).map(withoutPosition);
    return {
      snapshot,
      problems: doubles.length === 0 ? this.#problems : [...this.#problems, ...doubles],
      unread: [],
    };
  }

  #saysTheSame(known: ParsedDocument, parsed: ParsedDocument): boolean {
    if (isDeepStrictEqual(known, parsed)) return true;
    const before = known.statements[0]?.object;
    const after = parsed.statements[0]?.object;
    if (before?.kind !== 'Service' || after?.kind !== 'Service') return false;
    return parsed.problems.length === 0 && known.problems.length === 0 && this.#isEcho(before, after);
  }

  #replace(path: string, document: ParsedDocument | undefined): void {
    this.#index.update(fileOf(path, this.#documents.get(path)), fileOf(path, document));
    if (document) this.#documents.set(path, document);
    else this.#documents.delete(path);
    const problems = document?.problems.map(withoutPosition) ?? [];
    const had = this.#wrong.delete(path);
    if (problems.length > 0) this.#wrong.set(path, problems);
    if (had || problems.length > 0) this.#problems = [...this.#wrong.values()].flat();
  }
}

function pathOf(type: ResourceType, key: string): string {
  return `${type.plural} ${key}`;
}

function fileOf(path: string, document: ParsedDocument | undefined): IndexedFile {
  return { path, documents: document ? [document] : [], leaving: NONE_LEAVING };
}

function belongsTo({ namespace, name }: ResourceQuery, key: string): boolean {
  const [first = '', second] = key.split('/');
  if (namespace !== undefined && second !== undefined && first !== namespace) return false;
  return name === undefined || (second ?? first) === name;
}

/** An object of the API has no line in a file; its kind and name say which one it is. */
function withoutPosition(problem: Problem): Problem {
  const { position: _position, ...rest } = problem;
  return rest;
}
