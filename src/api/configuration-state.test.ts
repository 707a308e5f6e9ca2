import { expect, test } from 'vitest';
import type { Problem } from '../core/problem.ts';
import { configurationState } from './configuration-state.ts';

function problem(name: string, severity: Problem['severity']): Problem {
  const resource = { kind: 'BGPPeer', namespace: 'metallb-system', name };
  const message = '0: must be at least 1';
  return { resource, severity, field: 'spec.myASN', message, reason: 'InvalidValue', transient: false };
}

const TEXT = (name: string): string =>
  `configuration error: BGPPeer metallb-system/${name}: spec.myASN: 0: must be at least 1`;

test.each([
  { name: 'nothing', problems: [], errors: [] },
  { name: 'what is only said', problems: [problem('a', 'warning')], errors: [] },
  { name: 'an error', problems: [problem('a', 'warning'), problem('b', 'error')], errors: [TEXT('b')] },
  {
    name: 'errors, a line each',
    problems: [problem('a', 'error'), problem('b', 'error')],
    errors: [TEXT('a'), TEXT('b')],
  },
])('$name', ({ problems, errors }) => {
  const { metadata, status } = configurationState({
    ...{ name: 'speaker-n1', namespace: 'metallb-system', component: 'speaker', node: 'n1', problems },
    conditionType: 'configReconcilerValid',
  });
  expect(metadata.labels).toEqual({ 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': 'n1' });
  const message = errors.join('\n');
  const isValid = errors.length === 0;
  expect(status).toEqual({
    result: isValid ? 'Valid' : 'Invalid',
    errorSummary: message,
    conditions: [
      {
        type: 'configReconcilerValid',
        status: isValid ? 'True' : 'False',
        reason: isValid ? 'Reconciled' : 'ConfigurationError',
        message,
      },
    ],
  });
});
