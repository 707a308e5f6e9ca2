import { formatFieldPath, type FieldPath } from '../core/field-path.ts';
import type { Problem, ProblemReason } from '../core/problem.ts';
import { quote } from '../core/quote.ts';
import { parseManifestText, positionOfPath, type ManifestDocument } from '../manifest/index.ts';
import { parseGoRegExp } from './go-regexp.ts';

/** Which interfaces nothing is ever announced on, whatever an advertisement names. */
export interface LinkExclusion {
  /** A name that one of them is found in is excluded. */
  readonly patterns: readonly RegExp[];
}

/** Without the file. */
export const NOTHING_EXCLUDED: LinkExclusion = { patterns: [] };

const KEY = 'announcedInterfacesToExclude';

export function isExcluded({ patterns }: LinkExclusion, name: string): boolean {
  return patterns.some((pattern) => pattern.test(name));
}

/**
 * Reads MetalLB's `excludel2.yaml`: one key, {@link KEY}, with a list of regular expressions, each searched for anywhere
 * in a name. What cannot be read is left out, and said: with an error among the problems more may be announced on than
 * was meant, so that nothing should be announced before it is mended.
 */
export function parseLinkExclusion(input: { readonly text: string; readonly file: string }): {
  readonly exclusion: LinkExclusion;
  readonly problems: readonly Problem[];
} {
  const { documents, problems: syntax } = parseManifestText(input);
  const [document, second] = documents;
  if (!document) return { exclusion: NOTHING_EXCLUDED, problems: syntax };
  const problems = [...syntax];
  if (second) {
    problems.push(problemAt(second, [], 'must not be here: the file is one YAML document', 'InvalidSyntax'));
  }
  const patterns = itemsIn(document, problems).flatMap((item, index): RegExp[] => {
    const fault = (message: string): [] => {
      problems.push(problemAt(document, [KEY, index], message, 'InvalidValue'));
      return [];
    };
    if (typeof item !== 'string') return fault('must be a regular expression, such as "^docker.*"');
    if (item === '') return fault('"": is found in every name, and would exclude every interface');
    const parsed = parseGoRegExp(item);
    return parsed.ok ? [parsed.pattern] : fault(`${quote(item)}: ${parsed.message}`);
  });
  return { exclusion: { patterns }, problems };
}

function itemsIn(document: ManifestDocument, problems: Problem[]): readonly unknown[] {
  const { value } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(problemAt(document, [], `must be an object with the key ${KEY}`, 'InvalidSyntax'));
    return [];
  }
  for (const key of Object.keys(value)) {
    if (key === KEY) continue;
    const unknown = problemAt(document, [key], `is not known: the only key is ${KEY}`, 'UnknownField');
    problems.push({ ...unknown, severity: 'warning' });
  }
  const list = (value as Readonly<Record<string, unknown>>)[KEY] ?? [];
  if (Array.isArray(list)) return list;
  problems.push(problemAt(document, [KEY], 'must be a list of regular expressions', 'InvalidValue'));
  return [];
}

function problemAt(
  document: ManifestDocument,
  path: FieldPath,
  message: string,
  reason: ProblemReason,
): Problem {
  return {
    field: formatFieldPath(path),
    reason,
    message,
    transient: false,
    severity: 'error',
    position: positionOfPath(document, path),
  };
}
