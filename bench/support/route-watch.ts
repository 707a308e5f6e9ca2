import { execa, type ResultPromise } from 'execa';
import { createInterface } from 'node:readline';

const OPTIONS = {
  stdin: 'ignore',
  stdout: 'pipe',
  stderr: 'inherit',
  buffer: false,
  reject: false,
  detached: true,
} as const;

interface Wait {
  readonly done: (nextHops: ReadonlyMap<string, number>) => boolean;
  readonly resolve: (atMs: number) => void;
}

/**
 * A router's kernel routes as they change, from `ip monitor route` running inside it: what traffic would use, whatever
 * the daemons believe.
 */
export class RouteWatch {
  readonly #process: ResultPromise<typeof OPTIONS>;
  /** Next hops by prefix; a prefix without a route is absent. */
  readonly #nextHops = new Map<string, number>();
  /** Prefixes by the kernel's next-hop object that they use: FRR may change that one instead of the routes. */
  readonly #users = new Map<string, Set<string>>();
  #waits: Wait[] = [];
  #ended = false;

  /** @param inside the words that run a command inside the router */
  constructor(inside: readonly string[]) {
    // 64 MiB: the kernel tells of 10,000 routes faster than any reader takes them.
    const [file, ...args] = [...inside, 'ip', '-o', '-rcvbuf', '67108864', 'monitor', 'route', 'nexthop'];
    this.#process = execa(file, args, OPTIONS);
    void this.#process.then(() => {
      this.#ended = true;
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#take(line);
    });
  }

  /** Waits until every prefix has exactly so many next hops (0: no route). Gives the time of the event that made it so. */
  async until(prefixes: readonly string[], nextHops: number, timeoutMs: number): Promise<number> {
    const open = new Set(prefixes.filter((prefix) => (this.#nextHops.get(prefix) ?? 0) !== nextHops));
    if (open.size === 0) return performance.now();
    const wanted = new Set(prefixes);
    return new Promise<number>((resolve, reject) => {
      const wait: Wait = {
        done: (changed) => {
          for (const [prefix, count] of changed) {
            if (!wanted.has(prefix)) continue;
            if (count === nextHops) open.delete(prefix);
            else open.add(prefix);
          }
          return open.size === 0;
        },
        resolve: (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        },
      };
      const timer = setTimeout(() => {
        this.#waits = this.#waits.filter((other) => other !== wait);
        const [example = ''] = open;
        reject(
          new Error(
            `after ${timeoutMs} ms ${open.size} of ${prefixes.length} prefixes have other than ${nextHops} next hops, such as ${example} with ${this.#nextHops.get(example) ?? 0}`,
          ),
        );
      }, timeoutMs);
      this.#waits.push(wait);
    });
  }

  /** Ends the monitor, and with it the program that put it inside the router. */
  async close(): Promise<void> {
    const { pid } = this.#process;
    if (pid !== undefined && !this.#ended) process.kill(-pid, 'SIGTERM');
    await this.#process;
  }

  #take(line: string): void {
    const group = /^id (\d+) group (\S+)/.exec(line);
    if (group) {
      const members = group[2]?.split('/').length ?? 0;
      this.#changed(new Map([...(this.#users.get(group[1] ?? '') ?? [])].map((prefix) => [prefix, members])));
      return;
    }
    const route = /^(Deleted )?(?:(?:unicast|blackhole|unreachable) )?([0-9a-f.:/]+) /i.exec(line);
    const prefix = route?.[2];
    if (prefix === undefined || !/[.:]/.test(prefix)) return;
    const nextHops = route?.[1] === undefined ? (line.match(/\bvia /g)?.length ?? 0) : 0;
    for (const users of this.#users.values()) users.delete(prefix);
    const object = / nhid (\d+)/.exec(line)?.[1];
    if (nextHops > 0 && object !== undefined) {
      const users = this.#users.get(object) ?? new Set();
      this.#users.set(object, users.add(prefix));
    }
    this.#changed(new Map([[prefix, nextHops]]));
  }

  #changed(changed: ReadonlyMap<string, number>): void {
    if (changed.size === 0) return;
    for (const [prefix, nextHops] of changed) {
      if (nextHops === 0) this.#nextHops.delete(prefix);
      else this.#nextHops.set(prefix, nextHops);
    }
    const atMs = performance.now();
    this.#waits = this.#waits.filter((wait) => {
      if (!wait.done(changed)) return true;
      wait.resolve(atMs);
      return false;
    });
  }
}
