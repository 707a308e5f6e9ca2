import { describe, expect, test } from 'vitest';
import { ip } from '../../core/test-ip.ts';
import {
  createGrouping,
  NOTHING_EXCLUDED,
  type GroupState,
  type Layer2Group,
  type Layer2Service,
  type Link,
  type Owned,
  type OwnershipRecord,
} from '../../l2/index.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { firstSituation, withGroups, withView } from './situation.ts';

function service(name: string, address: string): Layer2Service {
  return {
    ...{ key: `default/${name}`, ips: [ip(address)], pool: 'lan', candidates: [], interfaces: undefined },
    ...{ balance: false, failback: { kind: 'never' }, announceIntervalMs: 60_000 },
  };
}

const LINK: Link = {
  ...{ name: 'eth0', index: 2, mac: '00:00:5e:00:53:01', isUp: true, isBroadcast: true, hasArp: true },
  ...{ hasMaster: false, defaultRoutes: [], gateways: [] },
  addresses: [{ ip: ip('192.0.2.11'), length: 24 }],
};

const WEB = service('web', '192.0.2.200');
const SHOP = service('shop', '192.0.2.201');

function left(name: string): readonly [string, OwnershipRecord] {
  const record: OwnershipRecord = {
    ...{ service: { namespace: 'default', name }, node: 'n1', ips: [], interfaces: [] },
    ...{ since: '2026-01-01T00:00:00.000Z', cause: 'FirstClaim', history: [] },
  };
  return [`default/${name}`, record];
}

const OWNED: Owned = {
  ...{ kind: 'owned', since: '2026-02-02T00:00:00.000Z', claimedAt: 0, superseded: undefined },
  claim: { cause: 'OwnerLost', from: 'n2' },
};

/** A ledger of n1 about groups of these Services, in these states. */
function ledgerOf(...services: readonly Layer2Service[]): {
  readonly ledger: Ledger;
  readonly states: Map<string, GroupState>;
  readonly group: (index: number) => Layer2Group;
  readonly want: (...services: readonly Layer2Service[]) => void;
  /** The store says that a node has these. */
  readonly written: (node: string, ...names: readonly string[]) => void;
  readonly keys: () => readonly string[];
} {
  const states = new Map<string, GroupState>();
  const grouping = createGrouping();
  const exclusion = NOTHING_EXCLUDED;
  let situation = firstSituation(exclusion);
  const written = (node: string, ...names: readonly string[]): void => {
    const ownerships = new Map(situation.view.ownerships);
    for (const name of names) {
      const [key, record] = left(name);
      ownerships.set(key, { ...record, node });
    }
    situation = withView(situation, { ...situation.view, ownerships });
  };
  const want = (...wanted: readonly Layer2Service[]): void => {
    situation = withGroups(situation, { groups: grouping(wanted), links: [LINK], exclusion });
  };
  want(...services);
  const ledger = createLedger({
    me: 'n1',
    situation: () => situation,
    stateOf: (key) => states.get(key) ?? { kind: 'idle' },
  });
  return {
    ...{ ledger, states, want, written },
    group: (index) => {
      const found = situation.groups[index];
      if (!found) throw new Error(`there is no group ${String(index)}`);
      return found;
    },
    keys: () => [...ledger.records().keys()].sort(),
  };
}

describe('what an earlier run left', () => {
  test('stands until this one has decided', () => {
    const { ledger, group, keys } = ledgerOf(WEB, SHOP);
    ledger.adopt([left('web'), left('shop')]);
    expect(keys()).toEqual(['default/shop', 'default/web']);
    ledger.rewrite();
    expect(keys()).toEqual(['default/shop', 'default/web']);
    ledger.write(group(0), OWNED);
    ledger.forget(group(1));
    expect(keys()).toEqual(['default/web']);
    expect(ledger.records().get('default/web')).toMatchObject({ cause: 'OwnerLost', since: OWNED.since });
  });

  test('is answered for nowhere when no interface is left for it, and others are told', () => {
    const far = service('far', '198.51.100.200');
    const { ledger } = ledgerOf(WEB, far);
    const had = (name: string): readonly [string, OwnershipRecord] => {
      const [key, record] = left(name);
      return [key, { ...record, interfaces: ['eth0'] }];
    };
    ledger.adopt([had('web'), had('far')]);
    // Both have to be written.
    expect(ledger.rewrite()).toBe(true);
    const interfacesOf = (key: string) => ledger.records().get(key)?.interfaces;
    expect([interfacesOf('default/web'), interfacesOf('default/far')]).toEqual([['eth0'], []]);
  });

  test('goes with its Service', () => {
    const { ledger, want, written, keys } = ledgerOf(WEB, SHOP);
    ledger.adopt([left('web'), left('shop'), left('gone')]);
    written('n1', 'web', 'shop', 'gone');
    expect(ledger.prune()).toBe(true);
    expect(keys()).toEqual(['default/shop', 'default/web']);
    expect(ledger.prune()).toBe(false);
    want(WEB);
    expect(ledger.prune()).toBe(true);
    expect(keys()).toEqual(['default/web']);
  });
});

test('what an earlier run left goes when another node has it', () => {
  const { ledger, written, keys } = ledgerOf(WEB, SHOP);
  ledger.adopt([left('web'), left('shop')]);
  written('n1', 'web', 'shop');
  expect(ledger.prune()).toBe(false);
  written('n2', 'shop');
  expect(ledger.prune()).toBe(true);
  expect(keys()).toEqual(['default/web']);
});

test('what is left to another is answered for nowhere', () => {
  const { ledger, group } = ledgerOf(WEB);
  ledger.write(group(0), OWNED);
  expect(ledger.records().get('default/web')?.interfaces).toEqual(['eth0']);
  ledger.write(group(0), { kind: 'released', to: 'n2', until: 50, owned: OWNED });
  expect(ledger.records().get('default/web')).toMatchObject({ interfaces: [], nextOwner: 'n2' });
});

describe('what is written anew', () => {
  test.each<GroupState>([
    { kind: 'probing', since: 0, until: 50, claim: { cause: 'OwnerLost', since: OWNED.since } },
    { kind: 'waiting', until: 50 },
  ])('is what is owned; what is in doubt stays as it was: $kind', (inDoubt) => {
    const { ledger, group, states, keys } = ledgerOf(WEB, SHOP);
    ledger.write(group(0), OWNED);
    ledger.write(group(1), OWNED);
    states.set('192.0.2.200', inDoubt);
    ledger.rewrite();
    expect(keys()).toEqual(['default/web']);
  });

  test('is nothing when there was nothing', () => {
    expect(ledgerOf(WEB).ledger.rewrite()).toBe(false);
  });
});
