import { PatchedMap } from '../core/patched-map.ts';
import { isHostSwitch } from './canonical.ts';
import { contextKey, type FrrConfig, type FrrContext } from './parse.ts';
import { createsNeighbor, dependencyRank, neighborOf, negationOf } from './statement.ts';

/** One command, with the contexts it is typed in. */
export interface FrrCommand {
  /** Headers from configure mode, outermost first; empty for the root. */
  readonly path: readonly string[];
  readonly line: string;
  /** `enter`: the line opens a context that is there by being entered, and nothing is typed in it. */
  readonly kind: 'add' | 'enter' | 'remove';
}

/** What to type to get from one configuration to another; nothing to do when `commands` is empty. */
export interface FrrChange {
  readonly commands: readonly FrrCommand[];
}

/** One line as it is typed. */
export interface TypedLine {
  /** Indented as FRR prints it. */
  readonly text: string;
  /** Contexts it is typed in, outermost first. */
  readonly path: readonly string[];
}

/**
 * The commands that turn `running` into `wanted`: what stands in the way first, then additions and changes in the
 * order of the wanted text, removals last, whoever refers to a thing before the thing itself. What is equal on both
 * sides is not mentioned, so its sessions and prefixes do not move.
 */
export function diffFrrConfig(running: FrrConfig, wanted: FrrConfig): FrrChange {
  const blockers = conflictingRouters(running, wanted);
  const left = blockers.length === 0 ? running : withoutContexts(running, blockers);
  return {
    commands: [
      ...blockers.map((context) => removalOf(context)),
      ...additions(left, wanted),
      ...removals(left, wanted),
    ],
  };
}

function additions(running: FrrConfig, wanted: FrrConfig): FrrCommand[] {
  const commands: FrrCommand[] = [];
  for (const context of wanted.contexts.values()) {
    const present = running.contexts.get(context.key);
    // What the parser shared.
    if (present === context) continue;
    const missing: string[] = [];
    for (const [identity, statement] of statementsUnlike(context, present)) {
      // What FRR printed of the host's switches was a fact, not a wish.
      if (wanted.version !== undefined && isHostSwitch(statement)) continue;
      if (present?.statements.get(identity) !== statement) missing.push(statement);
    }
    if (headerOf(context).startsWith('router bgp '))
      missing.sort((a, b) => dependencyRank(a) - dependencyRank(b));
    for (const line of missing) commands.push({ path: context.path, line, kind: 'add' });
    // A context without statements exists by being entered (`route-map x deny 20`, an empty BFD profile), and the
    // action of a route-map entry changes by entering it; its statements stay.
    const isNews = present === undefined || headerOf(present) !== headerOf(context);
    if (isNews && missing.length === 0 && existsByItself(context)) {
      commands.push({ path: context.path.slice(0, -1), line: headerOf(context), kind: 'enter' });
    }
  }
  return commands;
}

function removals(running: FrrConfig, wanted: FrrConfig): FrrCommand[] {
  const commands: FrrCommand[] = [];
  for (const context of [...running.contexts.values()]
    .reverse()
    .sort((a, b) => removalRank(a) - removalRank(b))) {
    if (goesWithItsParent(context, running, wanted)) continue;
    const target = wanted.contexts.get(context.key);
    if (target === context) continue;
    if (target === undefined && existsByItself(context)) {
      commands.push(removalOf(context));
      continue;
    }
    commands.push(...statementRemovals(context, target, neighborsRemoved(context, running, wanted)));
  }
  return commands;
}

/** Those of a context that the other may not have: all of them, unless the parser has shared most. */
function statementsUnlike(context: FrrContext, other: FrrContext | undefined): Iterable<[string, string]> {
  const { statements } = context;
  const keys = other && PatchedMap.unlike(statements, other.statements);
  if (!keys) return statements;
  return [...keys].flatMap((key): [string, string][] => {
    const statement = statements.get(key);
    return statement === undefined ? [] : [[key, statement]];
  });
}

/** Routers refer to route-maps and BFD profiles, route-maps to the lists at the root. */
function removalRank(context: FrrContext): number {
  const outermost = context.path[0];
  if (outermost === undefined) return 3;
  if (outermost.startsWith('router ')) return 0;
  return outermost.startsWith('route-map ') ? 1 : 2;
}

function statementRemovals(
  context: FrrContext,
  target: FrrContext | undefined,
  goneNeighbors: ReadonlySet<string>,
): FrrCommand[] {
  const commands: FrrCommand[] = [];
  // Entered under the wanted header: the old one would give a route-map entry its old action back.
  const path = (target ?? context).path;
  const remove = (line: string): void => {
    commands.push({ path, line, kind: 'remove' });
  };
  const surplus: string[] = [];
  for (const [identity, statement] of statementsUnlike(context, target)) {
    if (!target?.statements.has(identity) && !isHostSwitch(statement)) surplus.push(statement);
  }
  for (const statement of surplus.reverse()) {
    const neighbor = neighborOf(statement);
    if (neighbor !== undefined && goneNeighbors.has(neighbor)) {
      if (createsNeighbor(statement)) {
        remove(statement.includes(' interface ') ? `no ${statement}` : `no neighbor ${neighbor}`);
      }
      continue;
    }
    // `no neighbor x bfd` takes the profile with it.
    const bfd = `neighbor ${neighbor ?? ''} bfd`;
    if (
      statement.startsWith(`${bfd} profile `) &&
      context.statements.has(bfd) &&
      !target?.statements.has(bfd)
    )
      continue;
    remove(negationOf(context.path, statement));
  }
  return commands;
}

/** Neighbors whose creating statement is in the router of `context` now and not in the wanted one. */
function neighborsRemoved(context: FrrContext, running: FrrConfig, wanted: FrrConfig): ReadonlySet<string> {
  const routerKey = context.path[0] ?? '';
  const gone = new Set<string>();
  if (!routerKey.startsWith('router bgp ')) return gone;
  const kept = new Set<string>();
  for (const line of wanted.contexts.get(routerKey)?.statements.values() ?? []) {
    const neighbor = createsNeighbor(line) ? neighborOf(line) : undefined;
    if (neighbor !== undefined) kept.add(neighbor);
  }
  for (const line of running.contexts.get(routerKey)?.statements.values() ?? []) {
    const neighbor = createsNeighbor(line) ? neighborOf(line) : undefined;
    if (neighbor !== undefined && !kept.has(neighbor)) gone.add(neighbor);
  }
  return gone;
}

/** Routers of one VRF with another ASN: FRR holds one BGP instance for a VRF, so the old one has to go first. */
function conflictingRouters(running: FrrConfig, wanted: FrrConfig): FrrContext[] {
  const wantedByVrf = new Map<string, string>();
  for (const context of wanted.contexts.values()) {
    if (isBgpRouter(context)) wantedByVrf.set(vrfOf(context), context.key);
  }
  return [...running.contexts.values()].filter((context) => {
    const target = isBgpRouter(context) ? wantedByVrf.get(vrfOf(context)) : undefined;
    return target !== undefined && target !== context.key;
  });
}

function withoutContexts(config: FrrConfig, gone: readonly FrrContext[]): FrrConfig {
  const heads = new Set(gone.map((context) => context.key));
  const contexts = [...config.contexts].filter(([, context]) => !heads.has(context.path[0] ?? ''));
  return { ...config, contexts: new Map(contexts) };
}

function isBgpRouter(context: FrrContext): boolean {
  return context.path.length === 1 && headerOf(context).startsWith('router bgp ');
}

function vrfOf(router: FrrContext): string {
  return / vrf (\S+)$/.exec(headerOf(router))?.[1] ?? '';
}

function headerOf(context: FrrContext): string {
  return context.path[context.path.length - 1] ?? '';
}

/** An address family ends with its last statement, `bfd` and the host's interfaces and VRFs stay whatever they hold. */
function existsByItself(context: FrrContext): boolean {
  return (
    context.path.length > 0 && !/^(?:address-family |bfd$|interface |vrf |line vty)/.test(headerOf(context))
  );
}

/** True when the removal of an outer context already takes this one away. */
function goesWithItsParent(context: FrrContext, running: FrrConfig, wanted: FrrConfig): boolean {
  for (let depth = 1; depth < context.path.length; depth += 1) {
    const key = contextKey(context.path.slice(0, depth));
    const parent = running.contexts.get(key);
    if (parent && existsByItself(parent) && !wanted.contexts.has(key)) return true;
  }
  return false;
}

function removalOf(context: FrrContext): FrrCommand {
  return { path: context.path.slice(0, -1), line: `no ${headerOf(context)}`, kind: 'remove' };
}

/**
 * The lines to type, contexts entered and left as needed. The root is reached by `end`, never by `exit`: when FRR has
 * refused the line that opens a context, an `exit` too many leaves configure mode, and all that follows is lost
 * (seen with `vtysh -f` of FRR 8.4 and 10.3, where `end` in a file goes back to configure mode).
 */
export function typedLines(change: FrrChange): TypedLine[] {
  const lines: TypedLine[] = [];
  let open: readonly string[] = [];
  const type = (text: string, indent = open.length): void => {
    lines.push({ text: ' '.repeat(indent) + text, path: open });
  };
  const leaveTo = (depth: number): void => {
    while (open.length > depth) {
      const header = open[open.length - 1] ?? '';
      const leave = header.startsWith('address-family ') ? 'exit-address-family' : 'exit';
      if (depth === 0) type('end', 0);
      else type(leave, open.length - 1);
      open = depth === 0 ? [] : open.slice(0, -1);
    }
  };
  for (const command of change.commands) {
    let shared = 0;
    while (shared < open.length && open[shared] === command.path[shared]) shared += 1;
    leaveTo(shared);
    const headers = command.kind === 'enter' ? [...command.path, command.line] : command.path;
    for (const header of headers.slice(shared)) {
      type(header);
      open = [...open, header];
    }
    if (command.kind !== 'enter') type(command.line);
  }
  leaveTo(0);
  return lines;
}

/** The text of {@link typedLines}. */
export function linesOf(change: FrrChange): string[] {
  return typedLines(change).map(({ text }) => text);
}
