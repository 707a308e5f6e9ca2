import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tempDir } from './cleanup.ts';

/**
 * An API server as far as a watcher and a writer of a few objects can tell: lists, watches, creates, patches, conflicts
 * and deletes, over HTTP. It knows no kinds and checks no fields.
 */
export interface FakeApiServer {
  readonly kubeconfigPath: string;
  /** Every object there is, by path. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  /** How often each method was asked for. */
  readonly requests: ReadonlyMap<string, number>;
  /** Closes all connections and takes no new ones. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly watchCount: () => number;
  /** Keeps its connections and says no more about what happens, as one does whose packets are lost. */
  readonly muteWatches: () => void;
}

export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface Watch {
  readonly collection: string;
  readonly labels: readonly string[];
  readonly response: ServerResponse;
  isMute: boolean;
}

interface Event {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly object: StoredObject;
}

/** Collections that can be listed. */
const LISTED = /\/(?:leases|servicel2statuses|servicebgpstatuses|configurationstates|services)$/;

type Body = Readonly<Record<string, unknown>>;

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const objects = new Map<string, StoredObject>();
  const requests = new Map<string, number>();
  const log: Event[] = [];
  const watches = new Set<Watch>();
  let version = 100;
  let server: Server | undefined;
  let port = 0;

  const nextVersion = (): string => {
    version += 1;
    return String(version);
  };
  const tell = (type: Event['type'], path: string, object: StoredObject): void => {
    const event = { type, collection: path.slice(0, path.lastIndexOf('/')), object };
    log.push(event);
    for (const watch of watches) send(watch, event);
  };
  const store = (path: string, object: Body): StoredObject => {
    const metadata = { ...(object.metadata as Body), resourceVersion: nextVersion() };
    const stored = { ...object, metadata } as unknown as StoredObject;
    const type = objects.has(path) ? 'MODIFIED' : 'ADDED';
    objects.set(path, stored);
    tell(type, path, stored);
    return stored;
  };
  const patch = (path: string, body: Body, isStatus: boolean): StoredObject | number => {
    const before = objects.get(path);
    const asked = body.metadata as Body | undefined;
    const expected = asked?.resourceVersion;
    if (!before && (isStatus || body.apiVersion === undefined)) return 404;
    if (before && expected !== undefined && expected !== before.metadata.resourceVersion) return 409;
    if (isStatus && before) return store(path, { ...before, status: body.status });
    const merged = (field: 'labels' | 'annotations'): Body => {
      const all = { ...(before?.metadata[field] as Body), ...(asked?.[field] as Body) };
      return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    };
    return store(path, {
      ...before,
      ...body,
      metadata: {
        ...before?.metadata,
        ...asked,
        labels: merged('labels'),
        annotations: merged('annotations'),
      },
    });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const { method = 'GET' } = request;
    requests.set(method, (requests.get(method) ?? 0) + 1);
    const text = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const body = (text === '' ? {} : JSON.parse(text)) as Body;
    const isStatus = url.pathname.endsWith('/status');
    const path = isStatus ? url.pathname.slice(0, -'/status'.length) : url.pathname;
    const reply = (result: unknown): void => {
      const status = typeof result === 'number' ? result : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(typeof result === 'number' ? { code: result } : result));
    };
    const labels = (url.searchParams.get('labelSelector') ?? '').split(',').filter((each) => each !== '');
    switch (method) {
      case 'GET': {
        if (url.searchParams.has('watch')) {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.flushHeaders();
          const watch: Watch = { collection: path, labels, response, isMute: false };
          const from = Number(url.searchParams.get('resourceVersion'));
          for (const event of log)
            if (Number(event.object.metadata.resourceVersion) > from) send(watch, event);
          watches.add(watch);
          response.on('close', () => watches.delete(watch));
          return;
        }
        const object = objects.get(path);
        if (object) {
          reply(object);
          return;
        }
        if (path.split('/').at(-2) !== 'namespaces' && LISTED.test(path)) {
          const items = [...objects]
            .filter(([each, item]) => isIn(each, path) && hasLabels(item, labels))
            .map(([, item]) => item);
          reply({ metadata: { resourceVersion: String(version) }, items });
          return;
        }
        reply(404);
        return;
      }
      case 'POST': {
        const { name } = body.metadata as { name: string };
        const at = `${path}/${name}`;
        reply(objects.has(at) ? 409 : store(at, body));
        return;
      }
      case 'PATCH':
        reply(patch(path, body, isStatus));
        return;
      case 'DELETE': {
        const object = objects.get(path);
        const expected = (body.preconditions as Body | undefined)?.resourceVersion;
        if (!object || (expected !== undefined && expected !== object.metadata.resourceVersion)) {
          reply(object ? 409 : 404);
          return;
        }
        objects.delete(path);
        tell('DELETED', path, {
          ...object,
          metadata: { ...object.metadata, resourceVersion: nextVersion() },
        });
        reply({});
        return;
      }
      default:
        reply(405);
    }
  };

  const start = async (): Promise<void> => {
    server = createServer((request, response) => {
      answer(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const stop = async (): Promise<void> => {
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    server = undefined;
    await closed;
  };

  await start();
  const kubeconfigPath = join(await tempDir(), 'kubeconfig');
  const cluster = { server: `http://127.0.0.1:${String(port)}`, 'insecure-skip-tls-verify': true };
  writeFileSync(
    kubeconfigPath,
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'fake' },
      clusters: [{ name: 'fake', cluster }],
      users: [{ name: 'fake', user: {} }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    }),
  );
  return {
    kubeconfigPath,
    objects,
    requests,
    start,
    stop,
    watchCount: () => watches.size,
    muteWatches: () => {
      for (const watch of watches) watch.isMute = true;
    },
  };
}

function send(watch: Watch, { type, collection, object }: Event): void {
  if (watch.isMute || collection !== watch.collection || !hasLabels(object, watch.labels)) return;
  watch.response.write(`${JSON.stringify({ type, object })}\n`);
}

/** Of one namespace, or of all when the collection names none. */
function isIn(object: string, collection: string): boolean {
  if (object.startsWith(`${collection}/`)) return true;
  const [, root = '', plural = ''] = /^(.*)\/([^/]+)$/.exec(collection) ?? [];
  const [, namespaced = ''] = /^(.*)\/namespaces\/[^/]+\/[^/]+\/[^/]+$/.exec(object) ?? [];
  return !collection.includes('/namespaces/') && namespaced === root && object.split('/').at(-2) === plural;
}

function hasLabels({ metadata }: StoredObject, wanted: readonly string[]): boolean {
  return wanted.every((each) => {
    const [label = '', value] = each.split('=');
    return metadata.labels?.[label] === value;
  });
}
