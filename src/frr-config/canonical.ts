/**
 * Canonical forms: FRR leaves out values that are its defaults and rewrites others, differently from version to
 * version. Both sides of a comparison are brought to one form here.
 */

/**
 * Statements that are not ours to compare: FRR's own header, facts of the host rather than configuration, and
 * `debug bfd peer`, which the monitor switches on (bfdd prints it like configuration).
 */
const UNMANAGED =
  /^(?:frr defaults |hostname |(?:no )?service integrated-vtysh-config$|domainname |debug bfd peer$)/;

/** The kernel's switches, which FRR shows as they are: they are set when asked for and never taken back. */
export function isHostSwitch(line: string): boolean {
  return /^(?:no )?ip(?:v6)? forwarding$/.test(line);
}

/** The command that opens a context, with the words that FRR fills in. */
export function canonicalHeader(line: string): string {
  return line.replace(/^(address-family ipv[46])$/, '$1 unicast');
}

/** FRR prints well-known communities by name (RFC 1997, RFC 3765, RFC 7611, RFC 7999, RFC 8326, RFC 9494). */
const WELL_KNOWN_COMMUNITIES: Readonly<Record<string, string>> = {
  internet: '0:0',
  'graceful-shutdown': '65535:0',
  'accept-own': '65535:1',
  'route-filter-translated-v4': '65535:2',
  'route-filter-v4': '65535:3',
  'route-filter-translated-v6': '65535:4',
  'route-filter-v6': '65535:5',
  'llgr-stale': '65535:6',
  'no-llgr': '65535:7',
  'accept-own-nexthop': '65535:8',
  blackhole: '65535:666',
  'no-export': '65535:65281',
  'no-advertise': '65535:65282',
  'local-AS': '65535:65283',
  'no-peer': '65535:65284',
};

/** bfdd's defaults (FRR documentation, "BFD", Profile Configuration): never printed. */
export const BFD_PROFILE_DEFAULTS: Readonly<Record<string, string>> = {
  'detect-multiplier': '3',
  'receive-interval': '300',
  'transmit-interval': '300',
  'minimum-ttl': '254',
  'echo receive-interval': '50',
  'echo transmit-interval': '50',
};

/**
 * @param path headers of the context the line is in, outermost first
 * @param line one statement, blanks already folded
 * @returns the canonical statement; undefined when it says nothing (a default, or unmanaged)
 */
export function canonicalLine(path: readonly string[], line: string): string | undefined {
  const header = path[path.length - 1];
  if (header === undefined) return UNMANAGED.test(line) ? undefined : canonicalRootLine(line);
  if (header.startsWith('profile ') || header.startsWith('peer ')) return canonicalBfdLine(line);
  if (header.startsWith('router bgp ')) return canonicalRouterLine(line);
  if (header.startsWith('route-map ')) return canonicalRouteMapLine(line);
  return line;
}

/** FRR 8 leaves out the level when it is `debugging`, the default of each destination. */
function canonicalRootLine(line: string): string {
  return line.replace(/^log (?:stdout|syslog|monitor)$/, '$& debugging');
}

function canonicalBfdLine(line: string): string | undefined {
  const cut = line.lastIndexOf(' ');
  return cut > 0 && BFD_PROFILE_DEFAULTS[line.slice(0, cut)] === line.slice(cut + 1) ? undefined : line;
}

function canonicalRouterLine(line: string): string | undefined {
  if (/^neighbor \S+ port 179$/.test(line)) return undefined;
  // FRR 8 prints the TTL, FRR 10 leaves out the maximum.
  return line.replace(/^(neighbor \S+ ebgp-multihop) 255$/, '$1');
}

function canonicalRouteMapLine(line: string): string {
  const match = /^(set (?:large-)?community) (.+?)( additive)?$/.exec(line);
  if (!match) return line;
  const [, command = '', list = '', additive = ''] = match;
  if (list === 'none') return line;
  const numbers = list.split(' ').map((item) => WELL_KNOWN_COMMUNITIES[item] ?? item);
  return `${command} ${[...new Set(numbers)].sort(byNumbers).join(' ')}${additive}`;
}

function byNumbers(a: string, b: string): number {
  const [x, y] = [a.split(':').map(Number), b.split(':').map(Number)];
  for (let index = 0; index < Math.max(x.length, y.length); index += 1) {
    const difference = (x[index] ?? 0) - (y[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
