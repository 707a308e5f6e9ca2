import { formatProblem, type Problem } from '../core/problem.ts';
import type { Logger } from './logger.ts';

/** Gives a function that logs each problem once for as long as it lasts. */
export function createProblemLog(logger: Logger): (problems: readonly Problem[]) => void {
  let said: ReadonlySet<string> = new Set();
  return (problems) => {
    const now = new Set<string>();
    for (const problem of problems) {
      const text = formatProblem(problem);
      now.add(text);
      if (said.has(text)) continue;
      logger[problem.severity === 'error' ? 'error' : 'warn'](
        { problem: text, reason: problem.reason },
        'problem',
      );
    }
    said = now;
  };
}
