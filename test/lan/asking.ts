import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What an asker is to ask for. */
export interface AskerOrder {
  readonly ips: readonly string[];
  readonly intervalMs: number;
}

/** A host that asks who has an address. */
export interface Asker {
  /** Its MAC: replies to it are the answers to its questions. */
  readonly mac: string;
  /** From now on asks for these and no others; none silences it. */
  readonly ask: (order: AskerOrder) => void;
  /** Harmless twice. */
  readonly close: () => Promise<void>;
}

const START_TIMEOUT_MS = 20_000;

/** Starts an asker in a namespace; it is silent until told. */
export async function startAsker(netns: string, interfaceName: string): Promise<Asker> {
  const script = fileURLToPath(new URL('asker.ts', import.meta.url));
  const child = spawn(
    'nsenter',
    [`--net=/run/netns/${netns}`, '--', process.execPath, script, interfaceName],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const ready = new Promise<string | undefined>((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) => {
      resolve(/^ready (\S+)$/.exec(line)?.[1]);
    });
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  const mac = await Promise.race([ready, ended.then(() => undefined)]);
  clearTimeout(timer);
  if (mac === undefined) throw new Error(`the asker in ${netns} did not start`);
  // It ends with its input, so a write may come too late.
  child.stdin.on('error', () => undefined);
  return {
    mac,
    ask: (order) => child.stdin.write(`${JSON.stringify(order)}\n`),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
