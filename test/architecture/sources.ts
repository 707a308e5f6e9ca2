import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

export const ROOT = join(import.meta.dirname, '../..');

/** Files of the checkout that are tracked, or new and not ignored; paths from its root, sorted. */
export function projectFiles(): string[] {
  // The checkout may belong to another user than root, who runs this; git then wants to be told that this is fine.
  const args = [
    '-c',
    'safe.directory=*',
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--deduplicate',
  ];
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  // A file that is deleted but not committed yet is still listed.
  return listed.filter((path) => path !== '' && ts.sys.fileExists(join(ROOT, path))).sort();
}

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** One `import`, `export ... from` or `import()` of a source file. */
export interface ImportEdge {
  /** Path from the root of the checkout. */
  readonly from: string;
  /** Counts from 1. */
  readonly line: number;
  /** A file of this checkout, path from its root; or a package or `node:` module by name. */
  readonly to:
    { readonly kind: 'file'; readonly path: string } | { readonly kind: 'package'; readonly name: string };
}

/** The imports of one file, found by TypeScript's own parser. */
export function importsOf(path: string, text: string): ImportEdge[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const edges: ImportEdge[] = [];
  const add = (specifier: ts.Node | undefined): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const line = source.getLineAndCharacterOfPosition(specifier.getStart(source)).line + 1;
    edges.push({ from: path, line, to: targetOf(path, specifier.text) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return edges;
}

function targetOf(from: string, specifier: string): ImportEdge['to'] {
  if (specifier.startsWith('.')) {
    return { kind: 'file', path: relative(ROOT, join(ROOT, dirname(from), specifier)) };
  }
  // `@scope/name/part` and `name/part` belong to the package; `node:fs/promises` is a module of its own.
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
  return { kind: 'package', name: specifier.startsWith('node:') ? specifier : name };
}
