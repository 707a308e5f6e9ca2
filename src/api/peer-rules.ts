import { parseTimers } from '../core/bgp-timers.ts';
import { NANOSECONDS_PER_SECOND, parseDuration } from '../core/duration.ts';
import { parseIp } from '../core/ip.ts';
import type { BGPPeerFields } from './bgp-peer.ts';
import type { FieldsReading } from './field-reader.ts';
import { invalid, missing, shown, type Finding } from './finding.ts';
import { nonEmpty } from './grammar.ts';

type PathOf = (field: keyof BGPPeerFields) => Finding['path'];
type Fields = Pick<FieldsReading<BGPPeerFields>, 'values' | 'given'>;

/**
 * The rules between the fields of one BGPPeer. A field that was written wrongly counts as given, so that it is not
 * also said to be missing; rules about its value are passed over.
 * @param pathOf where a field stands in the form the user wrote
 */
export function peerRules(fields: Fields, pathOf: PathOf): Finding[] {
  return [
    ...asnRules(fields, pathOf),
    ...endpointRules(fields, pathOf),
    ...passwordRules(fields, pathOf),
    ...timerRules(fields, pathOf),
    ...connectTimeRules(fields, pathOf),
  ];
}

/** True when the field is there and says something: not the zero of its Go type, which is the same as absence. */
function says({ values, given }: Fields, field: keyof BGPPeerFields): boolean {
  const value = values[field];
  return value === undefined ? given.has(field) : value !== '' && value !== 0;
}

function asnRules(fields: Fields, pathOf: PathOf): Finding[] {
  const { myASN, peerASN, dynamicASN, localASN, ebgpMultiHop } = fields.values;
  const findings: Finding[] = [];
  if (myASN === 0) findings.push(invalid(pathOf('myASN'), '0: must be an ASN from 1 to 4294967295'));
  const [hasPeerASN, hasDynamicASN] = [says(fields, 'peerASN'), says(fields, 'dynamicASN')];
  if (hasPeerASN && hasDynamicASN) {
    findings.push(
      invalid(
        pathOf('dynamicASN'),
        `${shown(dynamicASN)}: excludes peerASN (${shown(peerASN)}); give one of the two`,
      ),
    );
  }
  if (!hasPeerASN && !hasDynamicASN) {
    findings.push(missing(pathOf('peerASN'), "the peer's ASN, or dynamicASN in its place"));
  }
  const isSameASN = myASN !== undefined && myASN !== 0 && myASN === peerASN;
  if (isSameASN && ebgpMultiHop === true) {
    findings.push(
      invalid(
        pathOf('ebgpMultiHop'),
        `true: must be false for an iBGP peer (peerASN and myASN are both ${String(myASN)})`,
      ),
    );
  }
  if (localASN !== undefined) findings.push(...localASNRules(localASN, fields, pathOf));
  return findings;
}

/** FRR 8.4 and 10.3 refuse the first; only 8.4 refuses the other two. */
function localASNRules(localASN: number, { values }: Fields, pathOf: PathOf): Finding[] {
  const { myASN, peerASN, dynamicASN } = values;
  const path = pathOf('localASN');
  const warning = (message: string): Finding => ({
    path,
    reason: 'InvalidValue',
    message,
    severity: 'warning',
  });
  if (localASN === myASN) return [invalid(path, `${String(localASN)}: must differ from myASN`)];
  if (localASN === peerASN) return [warning(`${String(localASN)}: is peerASN as well, which FRR 8 refuses`)];
  if (dynamicASN === 'internal' || (myASN !== undefined && myASN === peerASN)) {
    return [warning(`${String(localASN)}: FRR 8 refuses a local ASN for an iBGP peer`)];
  }
  return [];
}

function endpointRules(fields: Fields, pathOf: PathOf): Finding[] {
  const { peerAddress, interface: link, sourceAddress } = fields.values;
  const [hasAddress, hasInterface] = [says(fields, 'peerAddress'), says(fields, 'interface')];
  if (hasAddress && hasInterface) {
    return [
      invalid(
        pathOf('interface'),
        `${shown(link)}: excludes peerAddress (${shown(peerAddress)}); give one of the two`,
      ),
    ];
  }
  if (!hasAddress && !hasInterface) {
    return [missing(pathOf('peerAddress'), 'the address of the peer, or interface in its place')];
  }
  const peer = parseIp(peerAddress ?? '');
  const source = parseIp(sourceAddress ?? '');
  if (!peer || !source || peer.family === source.family) return [];
  const message = `${source.text}: is of another address family than peerAddress (${peer.text}), so there will be no session`;
  return [{ path: pathOf('sourceAddress'), reason: 'InvalidValue', message, severity: 'warning' }];
}

function passwordRules(fields: Fields, pathOf: PathOf): Finding[] {
  const secretName = nonEmpty(fields.values.passwordSecret?.name);
  if (!says(fields, 'password') || secretName === undefined) return [];
  return [
    invalid(pathOf('passwordSecret'), `Secret ${shown(secretName)}: excludes password; give one of the two`),
  ];
}

function timerRules({ values, given }: Fields, pathOf: PathOf): Finding[] {
  const { holdTime, keepaliveTime } = values;
  const isUnreadable = (field: 'holdTime' | 'keepaliveTime'): boolean =>
    given.has(field) && values[field] === undefined;
  if (isUnreadable('holdTime') || isUnreadable('keepaliveTime')) return [];
  const parsed = parseTimers({
    ...(holdTime === undefined ? {} : { holdTime }),
    ...(keepaliveTime === undefined ? {} : { keepaliveTime }),
  });
  if (!parsed.ok) return parsed.faults.map(({ field, message }) => invalid(pathOf(field), message));
  if (parsed.timers?.keepaliveSeconds !== 0 || parsed.timers.holdSeconds === 0) return [];
  const message = `${keepaliveTime ?? ''}: is cut to 0s, which sends no keepalives, so the session ends with every hold time; at least 1s is right`;
  return [{ path: pathOf('keepaliveTime'), reason: 'InvalidValue', message, severity: 'warning' }];
}

const MAX_CONNECT_SECONDS = 65_535n;

function connectTimeRules({ values: { connectTime } }: Fields, pathOf: PathOf): Finding[] {
  if (connectTime === undefined) return [];
  const duration = parseDuration(connectTime) ?? 0n;
  const seconds = duration / NANOSECONDS_PER_SECOND;
  const isWhole = duration % NANOSECONDS_PER_SECOND === 0n;
  if (isWhole && seconds >= 1n && seconds <= MAX_CONNECT_SECONDS) return [];
  return [
    invalid(
      pathOf('connectTime'),
      `${connectTime}: must be whole seconds from 1s to ${String(MAX_CONNECT_SECONDS)}s`,
    ),
  ];
}
