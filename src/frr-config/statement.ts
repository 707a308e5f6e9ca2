import { BFD_PROFILE_DEFAULTS } from './canonical.ts';

/**
 * Statements FRR holds one value of: typing the command again overwrites the value, so a change needs no removal.
 * The captured part is the identity. A statement that matches none is its own identity.
 */
const SINGLE_VALUED: readonly { readonly context: RegExp; readonly identity: RegExp }[] = [
  { context: /^$/, identity: /^(log (?:stdout|syslog|file|monitor|facility|timestamp precision)) / },
  { context: /^$/, identity: /^(ip(?:v6)? prefix-list \S+ seq \d+) / },
  { context: /^router bgp /, identity: /^(bgp (?:router-id|cluster-id|route-map delay-timer|bestpath \S+|listen limit)) / },
  { context: /^router bgp /, identity: /^(neighbor \S+ timers connect) / },
  { context: /^router bgp /, identity: /^(neighbor \S+ timers) \d/ },
  { context: /^router bgp /, identity: /^(neighbor \S+ bfd profile) / },
  {
    context: /^router bgp /,
    identity:
      /^(neighbor \S+ (?:remote-as|interface remote-as|interface v6only remote-as|local-as|password|port|update-source|ebgp-multihop|description|advertisement-interval))(?: |$)/,
  },
  { context: /^address-family /, identity: /^(network \S+)(?: |$)/ },
  { context: /^address-family /, identity: /^(neighbor \S+ route-map) \S+ (in|out)$/ },
  { context: /^address-family /, identity: /^(neighbor \S+ (?:prefix-list|filter-list)) \S+ (in|out)$/ },
  { context: /^address-family /, identity: /^(maximum-paths(?: ibgp)?) / },
  { context: /^route-map /, identity: /^((?:match|set) (?:ip|ipv6) [a-z-]+) / },
  { context: /^route-map /, identity: /^((?:match|set) [a-z-]+) / },
  { context: /^route-map /, identity: /^(description|call|on-match goto) / },
  {
    context: /^(?:profile|peer) /,
    identity: /^(detect-multiplier|receive-interval|transmit-interval|minimum-ttl|echo (?:receive|transmit)-interval) /,
  },
];

/** What a later statement of the same meaning would overwrite. */
export function identityOf(path: readonly string[], line: string): string {
  const header = path[path.length - 1] ?? '';
  for (const rule of SINGLE_VALUED) {
    if (!rule.context.test(header)) continue;
    const match = rule.identity.exec(line);
    if (match) return match.slice(1).join(' ');
  }
  return line;
}

/** The command that takes a statement back, typed in the same context. */
export function negationOf(path: readonly string[], line: string): string {
  if (line.startsWith('no ')) return line.slice(3);
  const header = path[path.length - 1] ?? '';
  if (header.startsWith('profile ') || header.startsWith('peer ')) {
    // Intervals have no `no` form in every version; their defaults are typed instead.
    const name = line.slice(0, line.lastIndexOf(' '));
    const byDefault = BFD_PROFILE_DEFAULTS[name];
    if (byDefault !== undefined) return `${name} ${byDefault}`;
  }
  if (header.startsWith('address-family ')) {
    const network = /^network \S+/.exec(line);
    if (network) return `no ${network[0]}`;
  }
  // The password itself need not be repeated, and so cannot end up in a log of refused lines.
  return `no ${line.replace(/^(neighbor \S+ password) .*/, '$1')}`;
}

/** The neighbor a statement of `router bgp` or one of its address families is about. */
export function neighborOf(line: string): string | undefined {
  return /^(?:no )?neighbor (\S+) /.exec(line)?.[1];
}

/** True for the statement that brings a neighbor into being; its removal takes all others of that neighbor with it. */
export function createsNeighbor(line: string): boolean {
  return /^neighbor \S+ (?:interface(?: v6only)? )?remote-as /.test(line);
}

/** Hides what follows `password` in a line that is to be shown. */
export function withoutPassword(line: string): string {
  return line.replace(/(password )\S.*/, '$1[redacted]');
}
