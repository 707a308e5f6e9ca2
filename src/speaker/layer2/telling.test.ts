import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { GroupState, Layer2Group } from '../../l2/index.ts';
import { createLayer2Metrics } from './metrics.ts';
import { createTelling } from './telling.ts';

const OWNED: GroupState = {
  ...{ kind: 'owned', since: '2026-01-01T00:00:00Z', claimedAt: 0, superseded: undefined },
  claim: { cause: 'FirstClaim' },
};

function service(key: string): Layer2Group['services'][number] {
  return {
    ...{ key, ips: [], pool: 'lan', candidates: [], interfaces: undefined, balance: false },
    ...{ failback: { kind: 'never' }, announceIntervalMs: 0 },
  };
}

const GROUP: Layer2Group = {
  ...{ key: '192.0.2.1', services: [service('default/a'), service('default/b')], ips: [], pool: 'lan' },
  ...{ candidates: [], balance: false, failback: { kind: 'never' }, announceIntervalMs: 0 },
};

test('tells of an address with an Event on each of its Services, also on one that comes to it later', () => {
  const told: string[] = [];
  const tell = createTelling({
    me: 'n1',
    logger: pino({ enabled: false }),
    metrics: createLayer2Metrics(new Registry()),
    onEvent: (key, { reason, message }) => told.push(`${key} ${reason} ${message}`),
  });
  tell({ group: GROUP, before: { kind: 'idle' }, after: OWNED, effect: 'none' });
  expect(told.splice(0)).toEqual(
    ['a', 'b'].map((name) => `default/${name} nodeAssigned announcing from node "n1" with protocol "layer2"`),
  );
  tell({ group: GROUP, before: OWNED, after: OWNED, effect: 'none', joined: ['default/b'] });
  expect(told).toEqual(['default/b nodeAssigned announcing from node "n1" with protocol "layer2"']);
});
