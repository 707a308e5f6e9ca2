import { Gauge, Counter, type Registry } from 'prom-client';

/** One number of something that exists now, as the pure folders give it. */
export interface Sample {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Publishes samples taken elsewhere. They are asked for at each scrape, so a series ends with what it describes.
 *
 * @param names every name that samples can have, for the registry to know
 */
export function registerSamples(
  registry: Registry,
  names: readonly Omit<Sample, 'labels' | 'value'>[],
  read: () => Promise<readonly Sample[]>,
): void {
  // All metrics are collected in one turn: one reading does for all of them.
  let reading: Promise<readonly Sample[]> | undefined;
  const readOnce = (): Promise<readonly Sample[]> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  for (const { name, type, help } of names) {
    const metric = new (type === 'gauge' ? Gauge : Counter)({
      name,
      help,
      labelNames: ['peer', 'vrf'],
      registers: [registry],
      async collect() {
        const samples = await readOnce();
        metric.reset();
        for (const sample of samples)
          if (sample.name === name) metric.inc({ ...sample.labels }, sample.value);
      },
    });
  }
}
