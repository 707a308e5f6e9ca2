import type { CelRule, CrdKeywords } from './crd-keywords.ts';

/** What the API server checks between the fields of one spec, in the Common Expression Language. */
function rules(...between: readonly CelRule[]): CrdKeywords {
  return { 'x-kubernetes-validations': between };
}

const NO_IBGP_MULTIHOP: CelRule = {
  rule: '!has(self.ebgpMultiHop) || !self.ebgpMultiHop || !has(self.peerASN) || self.peerASN != self.myASN',
  message: 'ebgpMultiHop must be false when peerASN is myASN (an iBGP session)',
};

/** CEL has no product of a duration and a number. */
const THRICE_KEEPALIVE =
  '(duration(self.keepaliveTime) + duration(self.keepaliveTime) + duration(self.keepaliveTime))';

/** RFC 4271 section 4.2: whole seconds, none or at least three, in two octets. */
function isHoldTime(duration: string): string {
  const seconds = `${duration}.getSeconds()`;
  return `${seconds} == 0 || (${seconds} >= 3 && ${seconds} <= 65535)`;
}

const TIMERS: readonly CelRule[] = [
  {
    rule:
      "!has(self.holdTime) || (duration(self.holdTime) >= duration('0s') && " +
      `(${isHoldTime('duration(self.holdTime)')}))`,
    message: 'holdTime must be 0s or 3s to 65535s (RFC 4271 section 4.2)',
  },
  {
    rule: "!has(self.keepaliveTime) || duration(self.keepaliveTime) >= duration('0s')",
    message: 'keepaliveTime must not be negative',
  },
  {
    rule:
      '!has(self.holdTime) || !has(self.keepaliveTime) || ' +
      'duration(self.keepaliveTime) <= duration(self.holdTime)',
    message: 'keepaliveTime must not exceed holdTime; a third of it is usual',
  },
  {
    rule: `!has(self.keepaliveTime) || has(self.holdTime) || ${isHoldTime(THRICE_KEEPALIVE)}`,
    message:
      'three times keepaliveTime is the hold time when holdTime is absent; it must be 0s or 3s to 65535s',
  },
];

export const PEER_V1BETA1_RULES = rules(NO_IBGP_MULTIHOP, ...TIMERS);

export const PEER_RULES = rules(
  {
    rule: '(has(self.peerASN) && self.peerASN != 0) != has(self.dynamicASN)',
    message: 'give one of peerASN and dynamicASN',
  },
  {
    rule: "(has(self.peerAddress) && self.peerAddress != '') != (has(self.interface) && self.interface != '')",
    message: 'give one of peerAddress and interface',
  },
  {
    rule: '!has(self.localASN) || self.localASN != self.myASN',
    message: 'localASN must differ from myASN',
  },
  NO_IBGP_MULTIHOP,
  {
    rule:
      "!has(self.password) || self.password == '' || !has(self.passwordSecret) || " +
      "!has(self.passwordSecret.name) || self.passwordSecret.name == ''",
    message: 'give one of password and passwordSecret',
  },
  ...TIMERS,
);

export const CONNECT_TIME = rules({
  rule:
    "duration(self) >= duration('1s') && duration(self) <= duration('65535s') && " +
    'duration(self).getMilliseconds() % 1000 == 0',
  message: 'must be whole seconds from 1s to 65535s',
});

/** FRR takes a change only with a new session, and a peer would see its routes go. */
export const GRACEFUL_RESTART = rules({
  rule: 'self == oldSelf',
  message: 'cannot be changed; delete the BGPPeer and make it anew',
});

export const BGP_ADVERTISEMENT_RULES = rules({
  rule:
    '!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || ' +
    '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
    '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
  message:
    'beside serviceSelectors, aggregationLength must be 32 or absent and aggregationLengthV6 must be 128 or absent: ' +
    'an aggregate would carry the traffic of other Services',
});

export const L2_ADVERTISEMENT_RULES = rules(
  {
    rule: "!has(self.failbackDelay) || (has(self.failback) && self.failback == 'AfterStable')",
    message: 'failbackDelay must be absent unless failback is AfterStable',
  },
  {
    rule:
      "!has(self.failbackDelay) || (duration(self.failbackDelay) >= duration('1s') && " +
      "duration(self.failbackDelay) <= duration('168h'))",
    message: 'failbackDelay must be 1s to 168h',
  },
  {
    rule:
      "!has(self.announceInterval) || duration(self.announceInterval) == duration('0s') || " +
      "(duration(self.announceInterval) >= duration('1s') && duration(self.announceInterval) <= duration('24h'))",
    message: 'announceInterval must be 1s to 24h, or 0s for never',
  },
);
