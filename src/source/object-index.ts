import type { ApiKind, ApiObject, ApiObjectOfKind, ClusterSnapshot, ServiceObject } from '../api/index.ts';
import { changedMiddle } from '../core/changed-middle.ts';
import { byText, compareText } from '../core/order.ts';
import type { Problem, ResourceRef } from '../core/problem.ts';
import { keyOf, type ParsedDocument, type Statement } from './parsed-document.ts';
import { mergeSorted } from './sorted-list.ts';

/** Kinds whose last good version is kept here. Those of metallb.io, and what they refer to, are kept by `config/`. */
const KEPT_KINDS: ReadonlySet<string> = new Set<ApiKind>(['Service', 'EndpointSlice', 'Node']);

/** Where objects come from, and what stands there: a file of manifests, or one object of the API server. */
export interface IndexedFile {
  readonly path: string;
  readonly documents: readonly ParsedDocument[];
  /** Part of `documents`: no longer there, and kept for now. */
  readonly leaving: ReadonlySet<ParsedDocument>;
}

/** One document's word about one object. */
interface Claim {
  readonly file: string;
  readonly document: ParsedDocument;
  readonly statement: Statement;
  /** The last good version before it could not be read. */
  readonly lastGood?: ApiObject;
}

export interface IndexOptions {
  readonly namespace: string;
  /** Puts into a Service what is known about it from elsewhere; gives the same object for the same answer. */
  readonly completeService: (service: ServiceObject) => ServiceObject;
}

/**
 * All objects of all files, and which document's word counts for each. An object that stands in several documents is
 * taken from the one it was taken from before, otherwise from the first by file name and place.
 * Changes cost what they touch; a snapshot after them costs one pass over the lists of the kinds touched.
 */
export class ObjectIndex {
  readonly #options: IndexOptions;
  readonly #claims = new Map<string, readonly Claim[]>();
  readonly #leaving = new Map<string, ReadonlySet<ParsedDocument>>();
  readonly #contested = new Set<string>();
  readonly #rejected = new Map<string, ResourceRef>();
  /** Keys whose claims changed since the last snapshot. */
  readonly #touched = new Map<string, ResourceRef>();
  #snapshot: ClusterSnapshot;

  constructor(options: IndexOptions) {
    this.#options = options;
    this.#snapshot = { namespace: options.namespace, objects: emptyLists(), rejected: [] };
  }

  /** Takes over what changed from one state of a file to the next. */
  update(before: IndexedFile, after: IndexedFile): void {
    const { removed, added } = changedMiddle(before.documents, after.documents);
    const gone = new Set(removed);
    for (const document of added) {
      if (gone.delete(document)) continue; // moved inside its file
      for (const statement of document.statements) this.#put({ file: after.path, document, statement }, gone);
    }
    for (const document of gone) {
      for (const { key, ref } of document.statements) {
        this.#drop(key, after.path, document);
        this.#touched.set(key, ref);
      }
    }
    const leavingBefore = this.#leaving.get(after.path);
    if (after.leaving.size > 0) this.#leaving.set(after.path, after.leaving);
    else this.#leaving.delete(after.path);
    for (const document of [...(leavingBefore ?? []), ...after.leaving]) {
      for (const { key, ref } of document.statements) this.#touched.set(key, ref);
    }
  }

  /** What is known about these Services from elsewhere has changed. */
  touchServices(services: Iterable<{ readonly namespace: string; readonly name: string }>): void {
    for (const { namespace, name } of services) {
      const ref = { kind: 'Service', namespace, name };
      this.#touched.set(keyOf(ref), ref);
    }
  }

  snapshot(): ClusterSnapshot {
    if (this.#touched.size === 0) return this.#snapshot;
    const changes = new Map<string, [ResourceRef, ApiObject | undefined][]>();
    let rejectedChanged = false;
    for (const [key, ref] of this.#touched) {
      const claims = this.#claims.get(key) ?? [];
      const winner = this.#winnerOf(claims);
      if (claims.length > 1) this.#contested.add(key);
      else this.#contested.delete(key);
      rejectedChanged = this.#noteRejected(key, winner) || rejectedChanged;
      const ofKind = changes.get(ref.kind);
      const change: [ResourceRef, ApiObject | undefined] = [ref, this.#objectOf(winner)];
      if (ofKind) ofKind.push(change);
      else changes.set(ref.kind, [change]);
    }
    this.#touched.clear();
    let objects = this.#snapshot.objects;
    for (const kind of Object.keys(objects) as ApiKind[]) {
      const list = mergeSorted(objects[kind], changes.get(kind) ?? []);
      if (list !== objects[kind]) objects = { ...objects, [kind]: list };
    }
    if (objects !== this.#snapshot.objects || rejectedChanged) {
      const rejected = rejectedChanged ? this.#rejectedList() : this.#snapshot.rejected;
      this.#snapshot = { ...this.#snapshot, objects, rejected };
    }
    return this.#snapshot;
  }

  /** One for each document whose word about an object does not count. */
  duplicateProblems(lineOf: (file: string, document: ParsedDocument) => number): readonly Problem[] {
    return [...this.#contested].sort(compareText).flatMap((key) => {
      const claims = this.#claims.get(key) ?? [];
      const winner = this.#winnerOf(claims);
      return claims
        .filter((claim) => claim !== winner && !this.#isLeaving(claim))
        .map(({ statement, file, document }): Problem => {
          const where = winner?.file === file ? 'a second time in this file' : `in ${winner?.file ?? ''} too`;
          return {
            resource: statement.ref,
            field: '',
            reason: 'DuplicateObject',
            message: `stands ${where}, and that one is used: must stand in one place only`,
            transient: false,
            severity: 'error',
            position: { file, line: lineOf(file, document), column: 1 },
          };
        });
    });
  }

  /** A new word of the same file takes the place, and with it the rank, of the one it replaces. */
  #put(claim: Claim, replaceable: ReadonlySet<ParsedDocument>): void {
    const { key, ref, object } = claim.statement;
    this.#touched.set(key, ref);
    const claims = this.#claims.get(key);
    if (!claims) {
      this.#claims.set(key, [claim]);
      return;
    }
    const index = claims.findIndex(({ file, document }) => file === claim.file && replaceable.has(document));
    const replaced = claims[index];
    const lastGood =
      object || !KEPT_KINDS.has(ref.kind) ? undefined : (replaced?.statement.object ?? replaced?.lastGood);
    const put: Claim = lastGood ? { ...claim, lastGood } : claim;
    this.#claims.set(key, replaced ? claims.with(index, put) : [...claims, put]);
  }

  #drop(key: string, file: string, document: ParsedDocument): void {
    const left =
      this.#claims.get(key)?.filter((claim) => claim.file !== file || claim.document !== document) ?? [];
    if (left.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, left);
  }

  /** What is about to leave its file counts only while nobody else has the object. */
  #winnerOf(claims: readonly Claim[]): Claim | undefined {
    if (claims.length < 2) return claims[0];
    return claims.find((claim) => !this.#isLeaving(claim)) ?? claims[0];
  }

  #isLeaving({ file, document }: Claim): boolean {
    return this.#leaving.get(file)?.has(document) === true;
  }

  #objectOf(winner: Claim | undefined): ApiObject | undefined {
    const object = winner?.statement.object ?? winner?.lastGood;
    return object?.kind === 'Service' ? this.#options.completeService(object) : object;
  }

  #noteRejected(key: string, winner: Claim | undefined): boolean {
    const before = this.#rejected.get(key);
    if (!winner || winner.statement.object) return this.#rejected.delete(key);
    if (!before) this.#rejected.set(key, winner.statement.ref);
    return !before;
  }

  #rejectedList(): readonly ResourceRef[] {
    return [...this.#rejected.entries()].sort(byText(([key]) => key)).map(([, ref]) => ref);
  }
}

function emptyLists(): { readonly [K in ApiKind]: readonly ApiObjectOfKind<K>[] } {
  return {
    IPAddressPool: [],
    BGPAdvertisement: [],
    L2Advertisement: [],
    BGPPeer: [],
    BFDProfile: [],
    Community: [],
    Service: [],
    EndpointSlice: [],
    Node: [],
    Namespace: [],
    Secret: [],
    ConfigMap: [],
  };
}
