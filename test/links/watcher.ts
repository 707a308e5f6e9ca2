import { watchLinks } from '../../src/links/index.ts';

/**
 * Watches the interfaces of the network namespace it runs in, and writes one line of JSON each time it is told of them.
 * Ends with its standard input.
 */
export interface Told {
  /** On the clock that all processes share, milliseconds. */
  readonly atMs: number;
  readonly links: readonly {
    readonly name: string;
    readonly mac: string;
    readonly isUp: boolean;
    /** With the length of the subnet: `192.0.2.1/24`. */
    readonly addresses: readonly string[];
  }[];
}

/** CLOCK_MONOTONIC. */
export function sharedMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

if (process.argv[1] === import.meta.filename) {
  const end = new AbortController();
  process.stdin.on('end', () => {
    end.abort();
  });
  process.stdin.resume();
  await watchLinks({
    onLinks: (links) => {
      const told: Told = {
        atMs: sharedMs(),
        links: links.map(({ name, mac, isUp, addresses }) => ({
          ...{ name, mac, isUp },
          addresses: addresses.map(({ ip, length }) => `${ip.text}/${String(length)}`),
        })),
      };
      process.stdout.write(`${JSON.stringify(told)}\n`);
    },
    onFailure: (error) => {
      process.stderr.write(`${String(error)}\n`);
    },
    signal: end.signal,
  });
}
