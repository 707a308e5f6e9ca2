import type { BGPPeer, SecretObject } from '../api/index.ts';
import { parseTimers } from '../core/bgp-timers.ts';
import { NANOSECONDS_PER_SECOND, parseDuration } from '../core/duration.ts';
import { parseIp, type IpAddress } from '../core/ip.ts';
import { passwordFault } from '../core/password.ts';
import { Secret } from '../core/secret.ts';
import { originOf, type Fault } from './fault.ts';
import type { Peer, PeerEndpoint } from './types.ts';
import { quote } from '../core/quote.ts';

export type PeerReading =
  { readonly ok: true; readonly peer: Peer } | { readonly ok: false; readonly faults: readonly Fault[] };

/** Secrets of MetalLB's namespace, by name. */
export type Secrets = ReadonlyMap<string, SecretObject>;

/**
 * The peer that a BGPPeer means, its password looked up. Whether its BFDProfile exists is not looked at here.
 * A BGPPeer that was read by `parseManifest` fails only by its Secret.
 */
export function peerFrom(object: BGPPeer, secrets: Secrets): PeerReading {
  const { spec } = object;
  const faults: Fault[] = [];
  const endpoint = endpointOf(object, faults);
  const sourceAddress = addressOf('sourceAddress', spec.sourceAddress, faults);
  const routerId = addressOf('routerID', spec.routerID, faults);
  const remoteAs = spec.peerASN ?? spec.dynamicASN;
  if (remoteAs === undefined) faults.push(missingField('spec.peerASN', 'give peerASN or dynamicASN'));
  const timers = timersOf(object, faults);
  const connectSeconds = secondsOf(spec.connectTime, faults);
  const password = passwordOf(object, secrets, faults);
  if (faults.length > 0 || !endpoint || remoteAs === undefined) return { ok: false, faults };
  const peer: Peer = {
    name: object.metadata.name,
    origin: originOf(object),
    myAsn: spec.myASN,
    remoteAs,
    ...(spec.localASN !== undefined && { localAsn: spec.localASN }),
    endpoint,
    ...(sourceAddress && { sourceAddress }),
    port: spec.peerPort,
    ...(timers && { timers }),
    ...(connectSeconds !== undefined && { connectSeconds }),
    ...(routerId && { routerId }),
    nodeSelectors: spec.nodeSelectors,
    ...(password && { password }),
    ...(spec.bfdProfile !== undefined && { bfdProfile: spec.bfdProfile }),
    gracefulRestart: spec.enableGracefulRestart,
    // Without meaning for an iBGP session; FRR takes the line and does not keep it.
    ebgpMultiHop: spec.ebgpMultiHop && remoteAs !== 'internal',
    vrf: spec.vrf === undefined || spec.vrf === DEFAULT_VRF ? '' : spec.vrf,
    dualStackAddressFamily: spec.dualStackAddressFamily,
  };
  return { ok: true, peer };
}

/** FRR's word for the VRF without a name (VRF_DEFAULT_NAME). */
const DEFAULT_VRF = 'default';

function endpointOf({ spec }: BGPPeer, faults: Fault[]): PeerEndpoint | undefined {
  if (spec.interface !== undefined) return { kind: 'interface', interface: spec.interface };
  const address = addressOf('peerAddress', spec.peerAddress, faults);
  if (address) return { kind: 'address', address };
  if (faults.length === 0) faults.push(missingField('spec.peerAddress', 'give peerAddress or interface'));
  return undefined;
}

function missingField(field: string, message: string): Fault {
  return { field, reason: 'MissingField', message: `is required: ${message}` };
}

function addressOf(
  field: 'peerAddress' | 'sourceAddress' | 'routerID',
  text: string | undefined,
  faults: Fault[],
): IpAddress | undefined {
  if (text === undefined) return undefined;
  const address = parseIp(text);
  if (!address) {
    faults.push({
      field: `spec.${field}`,
      reason: 'InvalidValue',
      message: `${quote(text)}: must be an IP address`,
    });
  }
  return address;
}

function timersOf({ spec: { holdTime, keepaliveTime } }: BGPPeer, faults: Fault[]): Peer['timers'] {
  const parsed = parseTimers({
    ...(holdTime !== undefined && { holdTime }),
    ...(keepaliveTime !== undefined && { keepaliveTime }),
  });
  if (parsed.ok) return parsed.timers;
  for (const { field, message } of parsed.faults)
    faults.push({ field: `spec.${field}`, reason: 'InvalidValue', message });
  return undefined;
}

function secondsOf(connectTime: string | undefined, faults: Fault[]): number | undefined {
  if (connectTime === undefined) return undefined;
  const duration = parseDuration(connectTime);
  if (duration === undefined) {
    const message = `${quote(connectTime)}: must be a duration such as "10s"`;
    faults.push({ field: 'spec.connectTime', reason: 'InvalidValue', message });
    return undefined;
  }
  return Number(duration / NANOSECONDS_PER_SECOND);
}

const SECRET_TYPE = 'kubernetes.io/basic-auth';
const SECRET_KEY = 'password';

function passwordOf({ spec }: BGPPeer, secrets: Secrets, faults: Fault[]): Secret | undefined {
  if (spec.password !== undefined) return new Secret(spec.password);
  const name = spec.passwordSecret?.name;
  if (name === undefined) return undefined;
  const secret = secrets.get(name);
  const field = 'spec.passwordSecret';
  if (!secret) {
    const message = `Secret ${quote(name)}: is not in MetalLB's namespace, or cannot be read; create it, of type ${SECRET_TYPE}`;
    faults.push({ field, reason: 'UnresolvedReference', message, transient: true });
    return undefined;
  }
  const { type, data } = secret.spec;
  const password = Object.hasOwn(data, SECRET_KEY) ? data[SECRET_KEY] : undefined;
  // Transient in each case: the cure is another Secret, not another BGPPeer.
  const fault =
    type !== SECRET_TYPE
      ? `is of type ${quote(type)}; must be of type ${SECRET_TYPE}`
      : password === undefined
        ? `has no key "${SECRET_KEY}"; put the password there`
        : prefixed(`its key "${SECRET_KEY}"`, passwordFault(password));
  if (fault !== undefined) {
    faults.push({
      field,
      reason: 'InvalidValue',
      message: `Secret ${quote(name)}: ${fault}`,
      transient: true,
    });
    return undefined;
  }
  return password === undefined ? undefined : new Secret(password);
}

function prefixed(prefix: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${prefix} ${fault}`;
}
