/**
 * A small FRR for tests: takes configuration lines one by one as bgpd and bfdd do, refuses what they refuse, and shows
 * what it holds. It shares no code with what it tests.
 */
export interface TestFrr {
  /** @throws when FRR would refuse the line */
  readonly type: (line: string) => void;
  /** Everything it holds, sorted: `context > context > statement`. */
  readonly state: () => readonly string[];
}

interface Node {
  readonly children: Map<string, Node>;
  /** By what the statement would overwrite. */
  readonly statements: Map<string, string>;
}

const ON_BY_DEFAULT = ['bgp default ipv4-unicast'];
const DEFAULTS = ['detect-multiplier 3', 'receive-interval 300', 'transmit-interval 300'];

export function createTestFrr(): TestFrr {
  const root = newNode();
  const path: Node[] = [root];
  const headers: string[] = [];

  const innermost = (): Node => path[path.length - 1] ?? root;
  const enter = (name: string, found?: Node): void => {
    const parent = innermost();
    const child = found ?? parent.children.get(name) ?? newNode();
    parent.children.set(name, child);
    path.push(child);
    headers.push(name);
  };
  const routerOfVrf = (vrf: string): string | undefined =>
    [...root.children.keys()].find((name) => name.startsWith('router bgp ') && vrfOf(name) === vrf);

  const atRoot = (line: string): boolean => {
    if (line.startsWith('router bgp ')) {
      const there = routerOfVrf(vrfOf(line));
      if (there !== undefined && there !== line) throw new Error(`BGP is already running: ${there}`);
      enter(line);
      return true;
    }
    const entry = /^route-map (\S+) (permit|deny) (\d+)$/.exec(line);
    if (entry) {
      const [, name = '', action = '', sequence = ''] = entry;
      const old = [`route-map ${name} permit ${sequence}`, `route-map ${name} deny ${sequence}`].find((key) =>
        root.children.has(key),
      );
      const kept = old === undefined ? undefined : root.children.get(old);
      if (old !== undefined) root.children.delete(old);
      enter(`route-map ${name} ${action} ${sequence}`, kept);
      return true;
    }
    if (line === 'bfd') {
      enter(line);
      return true;
    }
    return false;
  };

  const type = (text: string): void => {
    const line = text.trim();
    if (line === '' || line.startsWith('!')) return;
    if (line === 'end') {
      path.splice(1);
      headers.splice(0);
      return;
    }
    if (line.startsWith('exit')) {
      if (headers.length === 0) throw new Error('exit leaves configure mode');
      path.pop();
      headers.pop();
      return;
    }
    const here = innermost();
    const header = headers[headers.length - 1] ?? '';
    if (header === '' && atRoot(line)) return;
    if (header.startsWith('router bgp ') && line.startsWith('address-family ')) {
      enter(line);
      return;
    }
    if (header === 'bfd' && line.startsWith('profile ')) {
      enter(line);
      return;
    }
    const router = header.startsWith('address-family ') ? (path[path.length - 2] ?? here) : here;
    const onByDefault = ON_BY_DEFAULT.find((name) => line.endsWith(name));
    if (onByDefault !== undefined) {
      if (line === onByDefault) here.statements.delete(line);
      else here.statements.set(onByDefault, line);
    } else if (line.startsWith('no ')) remove(here, router, line.slice(3));
    else add(here, router, line);
  };
  return { type, state: () => show(root, '').sort() };
}

function newNode(): Node {
  return { children: new Map(), statements: new Map() };
}

function add(here: Node, router: Node, line: string): void {
  const neighbor = /^neighbor (\S+) /.exec(line)?.[1];
  if (neighbor !== undefined && !line.includes('remote-as') && !knows(router, neighbor)) {
    throw new Error(`Specify remote-as or peer-group commands first: ${line}`);
  }
  const key = overwrites(line);
  if (DEFAULTS.includes(line) || /^neighbor \S+ port 179$/.test(line)) here.statements.delete(key);
  else here.statements.set(key, line);
  if (/^neighbor \S+ bfd profile /.test(line))
    here.statements.set(`neighbor ${neighbor} bfd`, `neighbor ${neighbor} bfd`);
}

function remove(here: Node, router: Node, line: string): void {
  if (here.children.has(line)) {
    here.children.delete(line);
    return;
  }
  const neighbor = /^neighbor (\S+)(?: interface remote-as \S+)?$/.exec(line)?.[1];
  if (neighbor !== undefined) {
    if (!knows(router, neighbor)) throw new Error(`no such neighbor: ${line}`);
    for (const node of [router, ...router.children.values()]) {
      for (const [key, statement] of node.statements) {
        if (statement.startsWith(`neighbor ${neighbor} `)) node.statements.delete(key);
      }
    }
    return;
  }
  const found = [...here.statements].find(
    ([, statement]) => statement === line || statement.startsWith(`${line} `),
  );
  if (!found) throw new Error(`nothing to remove: ${line}`);
  here.statements.delete(found[0]);
  const bfd = /^neighbor (\S+) bfd$/.exec(line)?.[1];
  if (bfd !== undefined) here.statements.delete(`neighbor ${bfd} bfd profile`);
}

function knows(router: Node, neighbor: string): boolean {
  return [...router.statements.values()].some(
    (statement) => statement.startsWith(`neighbor ${neighbor} `) && statement.includes('remote-as'),
  );
}

/** What FRR holds one value of. */
function overwrites(line: string): string {
  const words = line.split(' ');
  if (/^neighbor \S+ bfd$/.test(line)) return line;
  if (words[0] === 'neighbor') {
    if (words[2] === 'route-map') return `${words.slice(0, 3).join(' ')} ${words[4] ?? ''}`;
    if (words[2] === 'timers' && words[3] !== 'connect') return words.slice(0, 3).join(' ');
    if (words[2] === 'bfd' || words[2] === 'timers') return words.slice(0, 4).join(' ');
    if (words[2] === 'interface') return `neighbor ${words[1] ?? ''} remote-as`;
    return words.slice(0, 3).join(' ');
  }
  if (words[0] === 'network' || line.startsWith('bgp router-id ')) return words.slice(0, 2).join(' ');
  if (words[0] === 'ip' && words[1] === 'prefix-list') return words.slice(0, 5).join(' ');
  if (['match', 'set', 'log'].includes(words[0] ?? '')) return words.slice(0, 2).join(' ');
  if (/-(?:interval|multiplier) \d+$/.test(line)) return words.slice(0, -1).join(' ');
  return line;
}

function vrfOf(router: string): string {
  return / vrf (\S+)$/.exec(router)?.[1] ?? '';
}

function show(node: Node, at: string): string[] {
  const lines = [...node.statements.values()].map((statement) => `${at}${statement}`);
  for (const [name, child] of node.children) {
    // An address family and `bfd` are there whenever something is in them.
    if (!name.startsWith('address-family ') && name !== 'bfd') lines.push(`${at}${name}`);
    lines.push(...show(child, `${at}${name} > `));
  }
  return lines;
}
