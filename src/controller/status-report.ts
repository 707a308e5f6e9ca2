import { formatProblem, type Problem } from '../core/problem.ts';

/** The ConfigurationState `controller`, with the fields that MetalLB gives it. */
export function controllerStatusObjects(report: {
  readonly namespace: string;
  readonly problems: readonly Problem[];
}): object[] {
  const errors = report.problems.filter(({ severity }) => severity === 'error').map(formatProblem);
  const valid = errors.length === 0;
  return [
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ConfigurationState',
      metadata: {
        name: 'controller',
        namespace: report.namespace,
        labels: { 'metallb.io/component-type': 'controller' },
      },
      status: {
        result: valid ? 'Valid' : 'Invalid',
        errorSummary: errors.join('\n'),
        conditions: [
          {
            type: 'poolReconcilerValid',
            status: valid ? 'True' : 'False',
            reason: valid ? 'Reconciled' : 'ConfigurationError',
            message: errors.join('\n'),
          },
        ],
      },
    },
  ];
}
