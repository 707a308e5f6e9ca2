import type { AllocationReason, PoolRefusal, ReasonCode, ServiceFamily } from './types.ts';

/** An Event message may have 1024 characters; this many list items keep clear of it for usual names. */
const MAX_LISTED = 8;

export function reasonOf(
  code: ReasonCode,
  message: string,
  pools: readonly PoolRefusal[] = [],
): AllocationReason {
  return { code, message, pools };
}

/** `a, b and 12 more`. */
export function listText(items: readonly string[], separator = ', '): string {
  const shown = items.slice(0, MAX_LISTED).join(separator);
  const rest = items.length - MAX_LISTED;
  return rest > 0 ? `${shown} and ${String(rest)} more` : shown;
}

/** A user's text inside a message: quoted, on one line, of bounded length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 128 ? `${text.slice(0, 128)}...` : text);
}

const FAMILY_NAMES: Readonly<Record<ServiceFamily, string>> = {
  ipv4: 'IPv4',
  ipv6: 'IPv6',
  dual: 'dual-stack',
};

/** A family as it reads in a sentence. */
export function familyName(family: ServiceFamily): string {
  return FAMILY_NAMES[family];
}
