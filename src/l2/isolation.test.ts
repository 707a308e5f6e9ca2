import { describe, expect, test } from 'vitest';
import { isAmongOthers, isCutOff, type LanSigns } from './isolation.ts';

const HEARD: LanSigns = {
  since: 10_000,
  hasWitnesses: true,
  heardAt: 10_020,
  gatewayAt: undefined,
  ownerHolds: true,
  lostAt: 9_000,
};

describe('a node is among others', () => {
  test.for<readonly [what: string, signs: Partial<LanSigns>, expected: boolean]>([
    ['when somebody was heard since it asked', {}, true],
    ['not when nobody was', { heardAt: 9_999 }, false],
    ['not when nobody ever was', { heardAt: -Infinity }, false],
    ['when there is nobody to be heard', { hasWitnesses: false, heardAt: -Infinity }, true],
    ['when the gateway has answered too', { gatewayAt: 10_010 }, true],
    ['when the gateway took longer to answer than the first claim waited', { gatewayAt: 9_400 }, true],
    ['not without the gateway while the owner may be on its side', { gatewayAt: 9_399 }, false],
    [
      'not with what the gateway said before the owner was missed',
      { gatewayAt: 9_959, lostAt: 9_960 },
      false,
    ],
    ['without the gateway once the owner is known to be gone', { gatewayAt: 1, ownerHolds: false }, true],
  ])('%s', ([, signs, expected]) => {
    expect(isAmongOthers({ ...HEARD, ...signs })).toBe(expected);
  });
});

test('a node is cut off when it has heard of nothing for a second, unless it is the only one', () => {
  expect(isCutOff({ latest: 1_000, hasOthers: true }, 2_000)).toBe(false);
  expect(isCutOff({ latest: 1_000, hasOthers: true }, 2_001)).toBe(true);
  expect(isCutOff({ latest: -Infinity, hasOthers: false }, 2_001)).toBe(false);
});
