/**
 * A client that cannot wait: one HTTP request every INTERVAL_MS, each over a connection of its own, until standard input ends.
 *
 *   node test/e2e/requests.ts URL INTERVAL_MS
 *
 * A request does not wait for the one before it. Its last line is a {@link Tally} as JSON; before it each failure has a line
 * of its own on standard error, with its time.
 */
import { get } from 'node:http';

/** What became of all requests. */
export interface Tally {
  readonly sent: number;
  readonly failed: number;
  /** The slowest that got an answer. A lost packet shows here: TCP sends the first one again after a second. */
  readonly slowestMs: number;
  /** The longest time between two answers, or after the last one. */
  readonly longestSilenceMs: number;
  /** How often each text was answered. */
  readonly answers: Readonly<Record<string, number>>;
}

/** As a patient client: two packets of the handshake may be lost. */
const TIMEOUT_MS = 5_000;

/** @throws whatever kept the answer from coming */
async function request(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  get(url, { agent: false, signal }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => (text += part));
    response.on('error', reject);
    response.on('end', () => {
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`status ${String(response.statusCode)}`));
    });
  }).on('error', reject);
  return promise;
}

async function main(url: string, intervalMs: number): Promise<void> {
  const answers: Record<string, number> = {};
  let [sent, failed, slowestMs, longestSilenceMs] = [0, 0, 0, 0];
  const startedAt = performance.now();
  let answeredAt: number | undefined;
  const one = async (): Promise<void> => {
    const sentAt = performance.now();
    sent += 1;
    try {
      const text = await request(url);
      answers[text] = (answers[text] ?? 0) + 1;
      const at = performance.now();
      slowestMs = Math.max(slowestMs, at - sentAt);
      longestSilenceMs = Math.max(longestSilenceMs, at - (answeredAt ?? at));
      answeredAt = at;
    } catch (error) {
      failed += 1;
      const { name, message } = error as Error;
      const began = new Date(performance.timeOrigin + sentAt).toISOString();
      process.stderr.write(`${began} ${name}: ${message}\n`);
    }
  };
  const running = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const each = one().finally(() => running.delete(each));
    running.add(each);
  }, intervalMs);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  clearInterval(timer);
  const endedAt = performance.now();
  longestSilenceMs = Math.max(longestSilenceMs, endedAt - (answeredAt ?? startedAt));
  await Promise.all(running);
  const tally: Tally = {
    ...{ sent, failed, answers },
    slowestMs: Math.round(slowestMs),
    longestSilenceMs: Math.round(longestSilenceMs),
  };
  process.stdout.write(`${JSON.stringify(tally)}\n`);
}

await main(process.argv[2] ?? '', Number(process.argv[3]));
