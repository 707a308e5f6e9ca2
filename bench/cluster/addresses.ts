import type { ApiClient } from '../../src/k8s/index.ts';

/** When each Service of the default namespace got its address: a watch with nothing else to do. */
export class Addresses {
  readonly #at = new Map<string, { readonly atMs: number; readonly ip: string }>();
  #waits: (() => void)[] = [];

  constructor(client: ApiClient, signal: AbortSignal) {
    void this.#watch(client, signal);
  }

  /** When these Services had addresses, the last of them, and which. */
  async all(names: readonly string[], timeoutMs = 60_000): Promise<{ atMs: number; ips: readonly string[] }> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = names.map((name) => this.#at.get(name)).filter((each) => each !== undefined);
      if (found.length === names.length) {
        return { atMs: Math.max(...found.map(({ atMs }) => atMs)), ips: found.map(({ ip }) => ip) };
      }
      if (performance.now() > deadline) {
        throw new Error(
          `${String(names.length - found.length)} Services have no address after ${String(timeoutMs)} ms`,
        );
      }
      await this.#change(deadline);
    }
  }

  async #change(deadline: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => {
      resolve(undefined);
    };
    this.#waits.push(wake);
    const timer = setTimeout(wake, deadline - performance.now());
    await promise;
    clearTimeout(timer);
  }

  async #watch(client: ApiClient, signal: AbortSignal): Promise<void> {
    const onLine = (line: string): void => {
      const { type, object } = JSON.parse(line) as {
        type: string;
        object: {
          metadata: { name: string };
          status?: { loadBalancer?: { ingress?: { ip: string }[] } };
        };
      };
      if (type === 'DELETED') this.#at.delete(object.metadata.name);
      const ip = type === 'DELETED' ? undefined : object.status?.loadBalancer?.ingress?.[0]?.ip;
      if (ip === undefined || this.#at.get(object.metadata.name)?.ip === ip) return;
      this.#at.set(object.metadata.name, { atMs: performance.now(), ip });
      for (const wake of this.#waits.splice(0)) wake();
    };
    const path = '/api/v1/namespaces/default/services';
    while (!signal.aborted) {
      await client
        .stream({ path, query: { watch: 'true' }, onLine, silenceMs: 3_600_000, signal })
        .catch((error: unknown) => {
          if (!signal.aborted) process.stderr.write(`the watch of the bench ended: ${String(error)}\n`);
        });
    }
  }
}
