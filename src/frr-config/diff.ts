import type { FrrConfig, FrrContext } from './parse.ts';
import { createsNeighbor, neighborOf, negationOf } from './statement.ts';

/** One command, with the contexts it is typed in. */
export interface FrrCommand {
  /** Headers from configure mode, outermost first; empty for the root. */
  readonly path: readonly string[];
  readonly line: string;
}

/** What to type to get from one configuration to another; nothing to do when `commands` is empty. */
export interface FrrChange {
  readonly commands: readonly FrrCommand[];
}

/**
 * The commands that turn `running` into `wanted`, in an order that is safe to stop at any point: what stands in the
 * way first, then additions and changes in the order of the wanted text, removals last and innermost last-added
 * first. What is equal on both sides is not mentioned, so its sessions and prefixes do not move.
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
    const before = commands.length;
    const replaced = present !== undefined && headerOf(present) !== headerOf(context);
    for (const [identity, statement] of inDependencyOrder(context)) {
      if (replaced || present?.statements.get(identity) !== statement) {
        commands.push({ path: context.path, line: statement });
      }
    }
    // A context without statements exists by being entered (`route-map x deny 20`, an empty BFD profile).
    const isNew = present === undefined || replaced;
    if (isNew && commands.length === before && context.path.length > 0) {
      commands.push({ path: context.path.slice(0, -1), line: headerOf(context) });
    }
  }
  return commands;
}

/** `remote-as` first: FRR refuses any other statement about a neighbor that it does not know. */
function inDependencyOrder(context: FrrContext): (readonly [string, string])[] {
  const entries = [...context.statements];
  const header = headerOf(context);
  if (!header.startsWith('router bgp ')) return entries;
  return [...entries.filter(([, line]) => createsNeighbor(line)), ...entries.filter(([, line]) => !createsNeighbor(line))];
}

function removals(running: FrrConfig, wanted: FrrConfig): FrrCommand[] {
  const commands: FrrCommand[] = [];
  for (const context of [...running.contexts.values()].reverse()) {
    if (goesWithItsParent(context, running, wanted)) continue;
    const target = wanted.contexts.get(context.key);
    if (target === undefined && isRemovable(context)) {
      commands.push(removalOf(context));
      continue;
    }
    // FRR empties a route-map entry whose action changes, so there is nothing of the old one left to remove.
    if (target && headerOf(target) !== headerOf(context)) continue;
    commands.push(...statementRemovals(context, target, neighborsRemoved(context, running, wanted)));
  }
  return commands;
}

function statementRemovals(
  context: FrrContext,
  target: FrrContext | undefined,
  goneNeighbors: ReadonlySet<string>,
): FrrCommand[] {
  const commands: FrrCommand[] = [];
  for (const [identity, statement] of [...context.statements].reverse()) {
    if (target?.statements.has(identity)) continue;
    const neighbor = neighborOf(statement);
    if (neighbor !== undefined && goneNeighbors.has(neighbor)) {
      if (createsNeighbor(statement)) {
        const line = statement.includes(' interface ') ? `no ${statement}` : `no neighbor ${neighbor}`;
        commands.push({ path: context.path, line });
      }
      continue;
    }
    // `no neighbor x bfd` takes the profile with it.
    if (/^neighbor \S+ bfd profile /.test(statement) && target?.statements.has(`neighbor ${neighbor ?? ''} bfd`) === false) {
      continue;
    }
    commands.push({ path: context.path, line: negationOf(context.path, statement) });
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
function isRemovable(context: FrrContext): boolean {
  return context.path.length > 0 && !/^(?:address-family |bfd$|interface |vrf |line vty)/.test(headerOf(context));
}

/** True when the removal of an outer context already takes this one away. */
function goesWithItsParent(context: FrrContext, running: FrrConfig, wanted: FrrConfig): boolean {
  for (let depth = 1; depth < context.path.length; depth += 1) {
    const key = context.path.slice(0, depth).join('\n');
    const parent = running.contexts.get(key);
    if (parent && isRemovable(parent) && !wanted.contexts.has(key)) return true;
  }
  return false;
}

function removalOf(context: FrrContext): FrrCommand {
  return { path: context.path.slice(0, -1), line: `no ${headerOf(context)}` };
}

/** The lines to type, contexts entered and left as needed, indented as FRR prints them. */
export function linesOf(change: FrrChange): string[] {
  const lines: string[] = [];
  let open: readonly string[] = [];
  const leaveTo = (depth: number): void => {
    while (open.length > depth) {
      const header = open[open.length - 1] ?? '';
      const indent = ' '.repeat(open.length - 1);
      lines.push(indent + (header.startsWith('address-family ') ? 'exit-address-family' : 'exit'));
      open = open.slice(0, -1);
    }
  };
  for (const command of change.commands) {
    let shared = 0;
    while (shared < open.length && open[shared] === command.path[shared]) shared += 1;
    leaveTo(shared);
    for (const header of command.path.slice(shared)) {
      lines.push(' '.repeat(open.length) + header);
      open = [...open, header];
    }
    lines.push(' '.repeat(open.length) + command.line);
    const opened = command.line;
    if (/^(?:route-map|profile|router) /.test(opened)) {
      // Typed to bring an empty context into being: leave it again at once.
      lines.push(`${' '.repeat(open.length)}exit`);
    }
  }
  leaveTo(0);
  return lines;
}
