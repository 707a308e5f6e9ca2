import { formatProblem, type Problem } from '../core/problem.ts';
import type { StatusObject } from './status-object.ts';

/** Before each error of a ConfigurationState. */
export const CONFIGURATION_ERROR = 'configuration error: ';

/** Whether what somebody was told is in use; fields and words are MetalLB's. */
export function configurationState(options: {
  readonly name: string;
  /** Of the metallb.io objects. */
  readonly namespace: string;
  readonly component: 'controller' | 'speaker';
  /** Of a speaker. */
  readonly node?: string;
  readonly conditionType: string;
  readonly problems: readonly Problem[];
}): StatusObject {
  const { name, namespace, component, node, conditionType, problems } = options;
  const errors = problems
    .filter(({ severity }) => severity === 'error')
    .map((problem) => CONFIGURATION_ERROR + formatProblem(problem));
  const isValid = errors.length === 0;
  const summary = errors.join('\n');
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: {
      name,
      namespace,
      labels: {
        'metallb.io/component-type': component,
        ...(node === undefined ? {} : { 'metallb.io/node-name': node }),
      },
    },
    status: {
      result: isValid ? 'Valid' : 'Invalid',
      errorSummary: summary,
      conditions: [
        {
          type: conditionType,
          status: isValid ? 'True' : 'False',
          reason: isValid ? 'Reconciled' : 'ConfigurationError',
          message: summary,
        },
      ],
    },
  };
}
