import { canonicalHeader, canonicalLine } from './canonical.ts';
import { identityOf } from './statement.ts';

/**
 * An FRR configuration as the daemons hold it: contexts (`router bgp 64512`, `route-map x permit 10`, ...), each with
 * a set of statements. The order of statements inside a context carries no meaning in FRR, so it is not compared.
 */
export interface FrrConfig {
  /** By {@link FrrContext.key}, in the order of the text. The root context has the key ''. */
  readonly contexts: ReadonlyMap<string, FrrContext>;
  /** From the line `frr version 10.3`, when there is one. */
  readonly version?: string;
}

export interface FrrContext {
  /** Identity: equal for `route-map x permit 10` and `route-map x deny 10`, which FRR cannot both have. */
  readonly key: string;
  /** The commands that lead here from configure mode, outermost first; empty for the root. */
  readonly path: readonly string[];
  /** By identity (what a later statement would overwrite): the canonical statement. */
  readonly statements: ReadonlyMap<string, string>;
}

interface OpenContext {
  readonly path: readonly string[];
  readonly key: string;
  readonly statements: Map<string, string>;
}

/** Commands that open a context under the one named; `''` is the root. Others stay one-line statements. */
const OPENERS: readonly { readonly parent: RegExp | undefined; readonly opens: RegExp }[] = [
  { parent: undefined, opens: /^(?:router|interface|vrf|key chain|nexthop-group|l2vpn) / },
  {
    parent: undefined,
    opens: /^(?:bfd|line vty|segment-routing|rpki(?: vrf \S+)?|pbr-map \S+ seq \d+|mpls ldp)$/,
  },
  { parent: undefined, opens: /^route-map \S+ (?:permit|deny) \d+$/ },
  { parent: /^router bgp/, opens: /^(?:address-family |bmp targets |segment-routing srv6$|vnc )/ },
  { parent: /^address-family l2vpn evpn$/, opens: /^vni \d+$/ },
  { parent: /^bfd$/, opens: /^(?:peer|profile) / },
  { parent: /^key chain/, opens: /^key \d+$/ },
];

/** One-line commands of the root. Written without indentation they end whatever context is open, as in vtysh. */
const ROOT_STATEMENT =
  /^(?:no )?(?:access-list|agentx|bgp (?:as-path|community-list|large-community-list|extcommunity-list|route-map)|debug|domainname|frr|hostname|ip (?:prefix-list|access-list|nht|route|forwarding|protocol|router-id)|ipv6 (?:prefix-list|access-list|nht|route|forwarding|protocol|router-id)|log|mac access-list|password|enable|service|zebra) ?/;

/** A `network` statement with its route-map, single blanks between the words, as FRR prints it and we render it. */
const NETWORK = /^network \S+ route-map \S+$/;
const NETWORK_ADDRESS_AT = 'network '.length;

/**
 * Parses configuration text, be it `show running-config`'s or a file's. Comments and blank lines are dropped,
 * statements brought to the canonical form of {@link canonicalLine}. Unknown commands are kept as they are.
 */
export function parseFrrConfig(text: string): FrrConfig {
  const root: OpenContext = { path: [], key: '', statements: new Map() };
  const contexts = new Map<string, OpenContext>([['', root]]);
  let open: OpenContext[] = [root];
  let version: string | undefined;

  for (const rawLine of text.split('\n')) {
    const trimmed = rawLine.trim();
    const innermost = open[open.length - 1] ?? root;
    // All but a few lines of a large configuration are of this form, and nothing below says anything else of them.
    if (NETWORK.test(trimmed) && innermost.path[innermost.path.length - 1]?.startsWith('address-family ')) {
      innermost.statements.set(trimmed.slice(0, trimmed.indexOf(' ', NETWORK_ADDRESS_AT)), trimmed);
      continue;
    }
    const line = trimmed.replace(/\s+/g, ' ');
    if (line === '' || line.startsWith('!') || line.startsWith('#')) continue;
    if (line === 'Building configuration...' || line === 'Current configuration:') continue;
    if (line.startsWith('frr version ')) {
      version = line.slice('frr version '.length);
      continue;
    }
    if (line === 'end') {
      open = [root];
      continue;
    }
    if (line === 'exit' || line.startsWith('exit-')) {
      if (open.length > 1) open = open.slice(0, -1);
      continue;
    }
    const unindented = !/^\s/.test(rawLine);
    if (opensAtRoot(line) && (open.length === 1 || !opensUnder(open, line) || unindented)) {
      open = [root, enter(contexts, root, line)];
      continue;
    }
    const parent = parentFor(open, line);
    if (parent) {
      const child = enter(contexts, parent, line);
      open = [...open.slice(0, open.indexOf(parent) + 1), child];
      continue;
    }
    if (open.length > 1 && unindented && ROOT_STATEMENT.test(line)) open = [root];
    const context = open[open.length - 1] ?? root;
    const canonical = canonicalLine(context.path, line);
    if (canonical !== undefined) context.statements.set(identityOf(context.path, canonical), canonical);
  }
  if (version !== undefined) addUnprintedDefaults(root.statements, version);
  return { contexts, ...(version === undefined ? {} : { version }) };
}

/**
 * Forwarding is printed only when it is off. Since FRR 10 the traditional profile resolves next hops through the
 * default route, and does not print it.
 */
function addUnprintedDefaults(statements: Map<string, string>, version: string): void {
  for (const statement of ['ip forwarding', 'ipv6 forwarding']) {
    if (!statements.has(statement)) statements.set(statement, statement);
  }
  if (Number.parseInt(version, 10) < 10) return;
  for (const statement of ['ip nht resolve-via-default', 'ipv6 nht resolve-via-default']) {
    if (!statements.has(`no ${statement}`)) statements.set(statement, statement);
  }
}

function opensAtRoot(line: string): boolean {
  return OPENERS.some((opener) => opener.parent === undefined && opener.opens.test(line));
}

function opensUnder(open: readonly OpenContext[], line: string): boolean {
  return parentFor(open, line) !== undefined;
}

/** The innermost open context under which this line opens another one. */
function parentFor(open: readonly OpenContext[], line: string): OpenContext | undefined {
  return open.findLast((context) => {
    const header = context.path[context.path.length - 1];
    return (
      header !== undefined &&
      OPENERS.some((opener) => opener.parent?.test(header) === true && opener.opens.test(line))
    );
  });
}

function enter(contexts: Map<string, OpenContext>, parent: OpenContext, line: string): OpenContext {
  const header = canonicalHeader(line);
  const path = [...parent.path, header];
  const key = contextKey(path);
  const known = contexts.get(key);
  if (known?.path[known.path.length - 1] === header) return known;
  // Entering `route-map x deny 10` where `permit 10` stood changes the entry's action and keeps its statements.
  const context: OpenContext = { path, key, statements: known?.statements ?? new Map<string, string>() };
  contexts.set(key, context);
  return context;
}

/** Identity of a context: its path, without the words that can change while it stays the same thing to FRR. */
export function contextKey(path: readonly string[]): string {
  return path.map((header) => header.replace(/^(route-map \S+) (?:permit|deny) (\d+)$/, '$1 $2')).join('\n');
}
