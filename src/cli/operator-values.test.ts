import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../../test/support/index.ts';
import { operatorValuesOf } from './operator-values.ts';

const folder = await tempDir();

function file(text: string): string {
  const path = join(folder, 'metallb.yaml');
  writeFileSync(path, text);
  return path;
}

test('the fields of the operator become values of the chart, and what has none is named', () => {
  const path = file(`apiVersion: metallb.io/v1beta1
kind: MetalLB
metadata: {name: metallb, namespace: metallb-system}
spec:
  logLevel: debug
  loadBalancerClass: example.com/frr
  nodeSelector: {node-role.kubernetes.io/worker: ""}
  speakerTolerations: [{key: edge, operator: Exists}]
  controllerNodeSelector: {rack: a}
  speakerConfig:
    priorityClassName: high
    runtimeClassName: kata
    surprise: 2
    resources: {limits: {memory: 200Mi}}
  controllerConfig: {annotations: {a: b}}
  bgpBackend: frr-k8s
  surprise: 1
`);
  expect(operatorValuesOf([path])).toEqual({
    values: {
      loadBalancerClass: 'example.com/frr',
      speaker: {
        logLevel: 'debug',
        nodeSelector: { 'node-role.kubernetes.io/worker': '' },
        tolerations: [{ key: 'edge', operator: 'Exists' }],
        priorityClassName: 'high',
        runtimeClassName: 'kata',
        resources: { limits: { memory: '200Mi' } },
      },
      controller: { logLevel: 'debug', nodeSelector: { rack: 'a' }, podAnnotations: { a: 'b' } },
    },
    notes: [
      'spec.speakerConfig.surprise: nothing in the chart is like it',
      'spec.bgpBackend: FRR in the speaker pod is the only one',
      'spec.surprise: nothing in the chart is like it',
    ],
  });
});

test.each([
  { name: 'no such object', text: 'kind: Service\napiVersion: v1\n', want: /holds none/ },
  { name: 'broken YAML', text: 'a: [\n', want: /not valid YAML/ },
])('$name', ({ text, want }) => {
  expect(() => operatorValuesOf([file(text)])).toThrow(want);
});

test('a file that is not there', () => {
  expect(() => operatorValuesOf([join(folder, 'none.yaml')])).toThrow(/none\.yaml: cannot be read/);
});
