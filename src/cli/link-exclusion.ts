import { readFileSync } from 'node:fs';
import { formatProblem } from '../core/problem.ts';
import { NOTHING_EXCLUDED, parseLinkExclusion, type LinkExclusion } from '../l2/index.ts';
import { UserError } from './user-error.ts';

/** Where MetalLB's manifests mount it. */
export const EXCLUDED_LINKS = '/etc/metallb/excludel2.yaml';

/**
 * Reads which interfaces nothing is announced on. Without the file there are none.
 * @throws {UserError} when it cannot be read: more would be announced on than was meant
 */
export function readLinkExclusion(file: string): LinkExclusion {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return NOTHING_EXCLUDED;
    throw new UserError(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const { exclusion, problems } = parseLinkExclusion({ text, file });
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new UserError(errors.map(formatProblem).join('\n'));
  return exclusion;
}
