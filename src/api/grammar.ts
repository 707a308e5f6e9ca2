import { z } from 'zod';
import { notADuration, parseDuration } from '../core/duration.ts';
import { parseIp, type IpAddress } from '../core/ip.ts';
import { linkNameFault, objectNameFault } from '../core/names.ts';
import { passwordFault } from '../core/password.ts';
import { DURATION, IP_ADDRESS, LINK_NAME, OBJECT_NAME, PASSWORD, ROUTER_ID } from './crd-keywords.ts';
import { shown } from './finding.ts';

/**
 * The building blocks of the metallb.io schemas: types, ranges and the grammar of single values. Ranges and enums are
 * in the schema itself, so that `src/api/crd` can make the CRDs from it; grammars are checks beside it.
 * A check's message begins with the value, except where the value is a secret.
 */

export const MAX_UINT32 = 4_294_967_295;

/** Adds a problem to a value under check; `path` is from that value. */
export function addIssue(
  context: z.core.ParsePayload,
  message: string,
  path: readonly (string | number)[] = [],
): void {
  context.issues.push({ code: 'custom', message, input: context.value, path: [...path] });
}

/**
 * A text with a grammar. The empty text counts as absent, as it does for the API's Go types; who reads the value
 * takes it out with {@link nonEmpty}.
 */
function textWith(faultOf: (text: string) => string | undefined): z.ZodString {
  return z.string().check((context) => {
    const fault = context.value === '' ? undefined : faultOf(context.value);
    if (fault !== undefined) addIssue(context, fault);
  });
}

function prefixed(faultOf: (text: string) => string | undefined): (text: string) => string | undefined {
  return (text) => {
    const fault = faultOf(text);
    return fault === undefined ? undefined : `${shown(text)}: ${fault}`;
  };
}

export function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** An autonomous system number (RFC 6793). */
export const asn = z.int().min(0).max(MAX_UINT32).meta({ format: 'int64' });

export const uint32 = z.int().min(0).max(MAX_UINT32).meta({ format: 'int64' });

/** An address that a host can have: neither unspecified nor multicast. */
export const hostAddress = textWith(prefixed(hostAddressFault)).meta({ crd: IP_ADDRESS });

function hostAddressFault(text: string): string | undefined {
  const ip = parseIp(text);
  if (!ip) return 'must be an IP address, such as "192.0.2.1" or "2001:db8::1"';
  return isHostAddress(ip)
    ? undefined
    : 'must be the address of a host, not an unspecified or multicast address';
}

function isHostAddress(ip: IpAddress): boolean {
  if (ip.value === 0n) return false;
  if (ip.family === 'ipv6') return ip.value >> 120n !== 0xffn;
  const topBits = ip.value >> 28n;
  return topBits !== 0xen && ip.value !== 0xffffffffn;
}

/** A BGP Identifier (RFC 6286): four octets, not zero, written as an IPv4 address. */
export const routerId = textWith(
  prefixed((text) => {
    const ip = parseIp(text);
    return ip?.family === 'ipv4' && ip.value !== 0n
      ? undefined
      : 'must be an IPv4 address other than 0.0.0.0 (a BGP Identifier has four octets, RFC 6286)';
  }),
).meta({ crd: ROUTER_ID });

export const goDuration = z
  .string()
  .check((context) => {
    if (parseDuration(context.value) === undefined) addIssue(context, notADuration(context.value));
  })
  .meta({ crd: DURATION });

export const linkName = textWith(prefixed(linkNameFault)).meta({ crd: LINK_NAME });

export const objectName = textWith(prefixed(objectNameFault)).meta({ crd: OBJECT_NAME });

export const password = textWith(passwordFault).meta({ crd: PASSWORD });

/** A list in which no text stands twice. */
export const distinctTexts = z.array(z.string()).check((context) => {
  const seen = new Set<string>();
  context.value.forEach((text, index) => {
    if (seen.has(text)) addIssue(context, `${shown(text)}: is listed twice; list it once`, [index]);
    seen.add(text);
  });
});
