import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadAll } from 'js-yaml';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { atEnd, eventually, tempDir } from '../../test/support/index.ts';
import { StatusStore } from '../source/index.ts';
import { runController } from './controller.ts';
import { folderBackend } from './folder-backend.ts';
import { createControllerMetrics } from './metrics.ts';

const POOL = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: first, namespace: metallb-system}
spec: {addresses: [192.0.2.0/29]}
`;

function service(name: string): string {
  return `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n`;
}

interface Running {
  readonly lines: () => { readonly msg: string; readonly [field: string]: unknown }[];
  readonly stop: () => Promise<void>;
}

function run(source: string): Running {
  const lines: string[] = [];
  const end = new AbortController();
  const namespace = 'metallb-system';
  const logger = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  const done = runController({
    open: folderBackend({ path: source, namespace, logger }),
    namespace,
    loadBalancerClass: '',
    metrics: createControllerMetrics(),
    logger,
    signal: end.signal,
  });
  const stop = async (): Promise<void> => {
    end.abort();
    await done;
  };
  atEnd(stop);
  return { lines: () => lines.map((line) => JSON.parse(line) as { msg: string }), stop };
}

/** `name address` of all statuses on disk. */
function written(folder: string): string[] {
  const store = new StatusStore(join(folder, '.status'));
  store.load();
  return store.all().map(({ name, ingress }) => `${name} ${ingress.join()}`);
}

async function becomes(folder: string, statuses: readonly string[]): Promise<void> {
  await eventually(() => {
    expect(written(folder)).toEqual(statuses);
  });
}

test('follows its folder, and a second run takes over from the first', async () => {
  const folder = await tempDir();
  writeFileSync(join(folder, 'pool.yaml'), POOL);
  writeFileSync(join(folder, 'b.yaml'), service('b'));
  const controller = run(folder);
  await becomes(folder, ['b 192.0.2.0']);
  writeFileSync(join(folder, 'a.yaml'), service('a'));
  await becomes(folder, ['a 192.0.2.1', 'b 192.0.2.0']);
  expect(controller.lines()).toContainEqual(
    expect.objectContaining({ msg: 'event', service: 'default/a', reason: 'IPAllocated' }),
  );
  await controller.stop();
  rmSync(join(folder, 'b.yaml'));
  writeFileSync(join(folder, 'c.yaml'), service('c'));
  run(folder);
  await becomes(folder, ['a 192.0.2.1', 'c 192.0.2.0']);
});

test('reports problems and pools', async () => {
  const folder = await tempDir();
  writeFileSync(
    join(folder, 'pool.yaml'),
    POOL + service('a') + '---\nkind: Foo\napiVersion: metallb.io/v1beta1\n',
  );
  writeFileSync(join(folder, 'broken.yaml'), 'a: [\n');
  const controller = run(folder);
  await eventually(() => {
    const [state, pool] = loadAll(readFileSync(join(folder, '.status', 'controller.yaml'), 'utf8')) as Record<
      string,
      Record<string, unknown>
    >[];
    expect(state).toMatchObject({
      kind: 'ConfigurationState',
      metadata: { name: 'controller', labels: { 'metallb.io/component-type': 'controller' } },
      status: { result: 'Invalid', conditions: [{ type: 'poolReconcilerValid', status: 'False' }] },
    });
    expect(state?.status?.errorSummary).toMatch(/not valid YAML.*broken\.yaml:2:1/);
    expect(pool).toMatchObject({
      kind: 'IPAddressPool',
      metadata: { name: 'first' },
      status: { assignedIPv4: 1, availableIPv4: 7 },
    });
  });
  expect(controller.lines().filter(({ msg }) => msg === 'problem').length).toBeGreaterThan(0);
  rmSync(join(folder, 'broken.yaml'));
  await controller.stop();
});

test('the last report is written at the end', async () => {
  const folder = await tempDir();
  writeFileSync(join(folder, 'pool.yaml'), POOL);
  await run(folder).stop();
  expect(readFileSync(join(folder, '.status', 'controller.yaml'), 'utf8')).toContain('result: Valid');
});

test('puts statuses back that somebody deleted', async () => {
  const folder = await tempDir();
  writeFileSync(join(folder, 'a.yaml'), POOL + service('a'));
  run(folder);
  await becomes(folder, ['a 192.0.2.0']);
  rmSync(join(folder, '.status'), { recursive: true });
  await becomes(folder, ['a 192.0.2.0']);
});

test('two on one folder by mistake do not write without end', async () => {
  const folder = await tempDir();
  writeFileSync(join(folder, 'a.yaml'), POOL + service('a'));
  const first = run(folder);
  await becomes(folder, ['a 192.0.2.0']);
  const store = new StatusStore(join(folder, '.status'));
  store.load();
  // The other one thinks otherwise, and puts its word back whenever it is gone.
  store.set({ namespace: 'default', name: 'a', ingress: ['203.0.113.9'] });
  let writes = 0;
  const until = performance.now() + 2_500;
  while (performance.now() < until) {
    if (store.checkFiles().length > 0 || writes === 0) writes += store.flush();
    await delay(5);
  }
  expect(writes).toBeGreaterThan(1);
  expect(writes).toBeLessThan(8);
  expect(first.lines()).toContainEqual(
    expect.objectContaining({ msg: 'statuses were changed or deleted by somebody else, putting them back' }),
  );
});

test('goes on trying when statuses cannot be written', async () => {
  const folder = await tempDir();
  writeFileSync(join(folder, 'a.yaml'), POOL + service('a'));
  writeFileSync(join(folder, '.status'), 'in the way');
  const controller = run(folder);
  await eventually(() => {
    expect(controller.lines()).toContainEqual(
      expect.objectContaining({ msg: 'statuses cannot be written, trying again' }),
    );
  });
  rmSync(join(folder, '.status'));
  await becomes(folder, ['a 192.0.2.0']);
  expect(controller.lines()).toContainEqual(
    expect.objectContaining({ msg: 'statuses can be written again' }),
  );
});

test('an address survives a restart with the pool broken, and its repair', async () => {
  const folder = await tempDir();
  writeFileSync(join(folder, 'pool.yaml'), POOL);
  writeFileSync(join(folder, 'b.yaml'), service('b'));
  const before = run(folder);
  await becomes(folder, ['b 192.0.2.0']);
  await before.stop();
  writeFileSync(join(folder, 'pool.yaml'), `${POOL}---\nx: [\n`.replace('192.0.2.0/29', '!'));
  const controller = run(folder);
  await eventually(() => {
    expect(controller.lines()).toContainEqual(
      expect.objectContaining({ msg: 'part of the input cannot be read, no address is taken away' }),
    );
  });
  expect(written(folder)).toEqual(['b 192.0.2.0']);
  writeFileSync(join(folder, 'pool.yaml'), POOL);
  writeFileSync(join(folder, 'a.yaml'), service('a'));
  await becomes(folder, ['a 192.0.2.1', 'b 192.0.2.0']);
});

test('a thousand at once fill as many addresses, and each file is written whole', async () => {
  const folder = await tempDir();
  mkdirSync(join(folder, 'more'));
  run(folder);
  const services = Array.from({ length: 1_000 }, (_, index) => service(`web-${index}`)).join('');
  writeFileSync(join(folder, 'more', 'all.yaml'), POOL.replace('/29', '/22') + services);
  await eventually(() => {
    expect(new Set(written(folder).map((line) => line.split(' ')[1])).size).toBe(1_000);
  });
  expect(readdirSync(join(folder, '.status', '.tmp'))).toEqual([]);
});
