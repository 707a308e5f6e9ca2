import { BFD_PROFILE_DEFAULTS } from './canonical.ts';

/**
 * Statements FRR holds one value of: typing the command again overwrites the value, so a change needs no removal.
 * The captured part is the identity. A statement that matches none is its own identity.
 *
 * What is not listed costs one more round when it changes (typed, the old one removed, read back); what is listed
 * wrongly would make two statements into one. So only what FRR is known to overwrite is here.
 */
const SINGLE_VALUED: readonly { readonly context: RegExp; readonly identity: RegExp }[] = [
  { context: /^$/, identity: /^(?:no )?(ip(?:v6)? forwarding)$/ },
  { context: /^$/, identity: /^(log (?:stdout|syslog|file|monitor|facility|timestamp precision)) / },
  { context: /^$/, identity: /^(bgp route-map delay-timer) / },
  { context: /^$/, identity: /^(ip(?:v6)? prefix-list \S+ seq \d+) / },
  { context: /^$/, identity: /^(ip(?:v6)? prefix-list \S+ description) / },
  {
    context: /^router bgp /,
    identity: /^(bgp (?:router-id|cluster-id|listen limit)) /,
  },
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
  { context: /^route-map /, identity: /^(match ip(?:v6)? (?:address|next-hop) prefix-list) / },
  {
    context: /^route-map /,
    identity:
      /^((?:match|set) (?:tag|metric|local-preference|origin|community|large-community|as-path prepend|weight|src)) /,
  },
  { context: /^route-map /, identity: /^(match (?:as-path|interface|peer|source-vrf|source-protocol)) / },
  { context: /^route-map /, identity: /^(set (?:ip next-hop|ipv6 next-hop (?:global|local))) / },
  { context: /^route-map /, identity: /^(description|call|on-match goto) / },
  {
    context: /^(?:profile|peer) /,
    identity:
      /^(detect-multiplier|receive-interval|transmit-interval|minimum-ttl|echo (?:receive|transmit)-interval) /,
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

/**
 * When a statement of `router bgp` can be typed: FRR refuses any other about a neighbor or a peer group that it does
 * not know, and a group may carry its members' ASN. What holds for the whole router comes before, since a neighbor
 * takes some of it as it comes into being (`no bgp default ipv4-unicast`); listen ranges refer to groups.
 */
export function dependencyRank(line: string): number {
  if (/^(?:no )?bgp (?!listen )/.test(line)) return 0;
  if (/^neighbor \S+ peer-group$/.test(line)) return 1;
  if (createsNeighbor(line)) return 2;
  if (/^neighbor \S+ (?:interface(?: v6only)? )?peer-group /.test(line)) return 3;
  return 4;
}

/** Words in FRR's grammar that a secret follows. */
const SECRET =
  /((?:^|\s)(?:password|key-string|message-digest-key \d+ md5|md5|authentication-key|secret) )\s*\S.*/;

/** Hides a password in a line that is to be shown, with all that stands behind it. */
export function withoutPassword(line: string): string {
  return line.replace(SECRET, '$1[redacted]');
}
