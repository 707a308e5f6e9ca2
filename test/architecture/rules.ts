import type { ImportEdge } from './sources.ts';

/** Folders of src/ that decide and never act: no files, processes, sockets, clocks or logs. */
export const PURE_FOLDERS: readonly string[] = [
  ...['core', 'api', 'manifest', 'config', 'allocator', 'reconciler'],
  ...['frr-render', 'frr-config', 'bfd-status', 'pipeline', 'l2'],
];

/** What pure folders may import beside each other: computes values from values and keeps no state. */
export const PURE_PACKAGES: readonly string[] = [
  ...['zod', 'js-yaml', 'ipaddr.js', 'handlebars', 'fastest-levenshtein'],
  ...['node:util', 'node:crypto'],
];

/** A folder of src/, or undefined for a file elsewhere: `src/lab/frr/process.ts` belongs to `lab`. */
export function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** A unit test, or what the tests of a folder share. */
function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || /\/test-[^/]*\.ts$/.test(path);
}

/** Pure folders import pure folders and pure packages only. Their unit tests may use what they like. */
export function impureImports(edges: readonly ImportEdge[]): string[] {
  const faults: string[] = [];
  for (const { from, line, to } of edges) {
    const folder = folderOf(from);
    if (folder === undefined || !PURE_FOLDERS.includes(folder) || isTest(from)) continue;
    if (to.kind === 'package') {
      if (PURE_PACKAGES.includes(to.name)) continue;
      faults.push(
        `${from}:${line} imports ${to.name}: src/${folder}/ is pure, so take its result as an argument, or have an edge folder call it; a library that only computes may be added to PURE_PACKAGES`,
      );
      continue;
    }
    const target = folderOf(to.path);
    if (target !== undefined && PURE_FOLDERS.includes(target)) continue;
    faults.push(
      `${from}:${line} imports ${to.path}: src/${folder}/ is pure and may import only ${PURE_FOLDERS.join(', ')}; move what both need into one of them, or take it as an argument`,
    );
  }
  return faults;
}

/** Another folder is imported by its index.ts, or by a subfolder's; core is the vocabulary of all and has none. */
export function innerImports(edges: readonly ImportEdge[]): string[] {
  const faults: string[] = [];
  for (const { from, line, to } of edges) {
    if (to.kind === 'package' || isTest(from)) continue;
    const [here, there] = [folderOf(from), folderOf(to.path)];
    if (here === undefined || there === undefined || here === there || there === 'core') continue;
    if (to.path.endsWith('/index.ts')) continue;
    faults.push(
      `${from}:${line} imports ${to.path}: import from src/${there}/index.ts, and re-export there what src/${here}/ needs`,
    );
  }
  return faults;
}

/**
 * Folders must form layers. A cycle that only types make counts too: whoever reads one folder has to read the other.
 * @returns one line for each group of folders that import each other, with an import for each step of one cycle
 */
export function folderCycles(edges: readonly ImportEdge[]): string[] {
  const graph = new Map<string, Map<string, ImportEdge>>();
  for (const edge of edges) {
    if (edge.to.kind === 'package' || isTest(edge.from)) continue;
    const [here, there] = [folderOf(edge.from), folderOf(edge.to.path)];
    if (here === undefined || there === undefined || here === there) continue;
    const targets = graph.get(here) ?? new Map<string, ImportEdge>();
    if (!targets.has(there)) targets.set(there, edge);
    graph.set(here, targets);
  }
  const faults: string[] = [];
  const reported = new Set<string>();
  for (const start of [...graph.keys()].sort()) {
    if (reported.has(start)) continue;
    const cycle = shortestCycle(graph, start);
    if (cycle === undefined) continue;
    for (const edge of cycle) reported.add(folderOf(edge.from) ?? '');
    const steps = cycle.map(
      ({ from, line, to }) => `${from}:${line} imports ${to.kind === 'file' ? to.path : ''}`,
    );
    faults.push(
      `folders import each other: ${steps.join('; ')}: move what both need into the lower one, or into core`,
    );
  }
  return faults;
}

function shortestCycle(
  graph: ReadonlyMap<string, ReadonlyMap<string, ImportEdge>>,
  start: string,
): ImportEdge[] | undefined {
  let paths: { readonly at: string; readonly edges: ImportEdge[] }[] = [{ at: start, edges: [] }];
  const seen = new Set<string>();
  while (paths.length > 0) {
    const next: typeof paths = [];
    for (const { at, edges } of paths) {
      for (const [target, edge] of graph.get(at) ?? []) {
        if (target === start) return [...edges, edge];
        if (seen.has(target)) continue;
        seen.add(target);
        next.push({ at: target, edges: [...edges, edge] });
      }
    }
    paths = next;
  }
  return undefined;
}

/** Every folder but core has an index.ts that begins with what it decides and what it never does. */
export function missingIndexes(files: ReadonlyMap<string, string>): string[] {
  const folders = new Set([...files.keys()].map(folderOf).filter((folder) => folder !== undefined));
  folders.delete('core');
  const faults: string[] = [];
  for (const folder of [...folders].sort()) {
    const path = `src/${folder}/index.ts`;
    const text = files.get(path);
    if (text === undefined) {
      faults.push(
        `${path} is missing: make one that says what the folder decides and never does, and re-exports its public names`,
      );
    } else if (!/^\/\*\*\s+\*? ?\S/.test(text)) {
      faults.push(
        `${path} does not begin with a comment: say in it what the folder decides and what it never does`,
      );
    }
  }
  return faults;
}

/** Texts that must not be committed, built from parts so that this file may be. */
const FORBIDDEN: readonly { readonly pattern: RegExp; readonly advice: string }[] = [
  {
    pattern: new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`),
    advice: 'do it now, or leave it out; what is not done belongs in the tracker',
  },
  {
    // Host names of package registries and of what stands in for them, also inside a lock file.
    pattern: new RegExp(
      ['registry', 'npm', 'artifactory', 'nexus', 'verdaccio', 'pypi', 'crates', 'proxy']
        .map((word) => `https?://(?:[\\w-]+\\.)*${word}[\\w-]*\\.[\\w.-]+`)
        .join('|'),
      'i',
    ),
    advice:
      'name no registry: which one is used is a matter of the machine (.npmrc keeps them out of package-lock.json)',
  },
  {
    pattern: /^\s*"resolved": /m,
    advice: 'a lock file must not say where packages came from; remake it with the .npmrc of this checkout',
  },
];

/** @returns one line for each place in a text that holds something that must not be committed */
export function forbiddenTexts(path: string, text: string): string[] {
  const faults: string[] = [];
  for (const { pattern, advice } of FORBIDDEN) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const line = text.slice(0, match.index).split('\n').length;
    faults.push(`${path}:${line} has ${JSON.stringify(match[0].trim())}: ${advice}`);
  }
  return faults;
}
