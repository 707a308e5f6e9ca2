import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { CHART, templateArgs } from '../../scripts/lib/helm.mjs';

export { findHelm } from '../../scripts/lib/helm.mjs';

export const NAMESPACE = 'metallb-system';

export interface Rendering {
  readonly ok: boolean;
  readonly text: string;
  /** What helm says when it is not. */
  readonly fault: string;
}

/** `helm template` with values as a file would have them. */
export function template(helm: string, values: object = {}, chart = CHART): Rendering {
  const folder = mkdtempSync(join(tmpdir(), 'mlf-chart-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    const run = spawnSync(helm, [...templateArgs(NAMESPACE, chart), '--values', file], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    return { ok: run.status === 0, text: run.stdout, fault: run.stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: {
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] };
  };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly hostNetwork?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
  readonly tolerations?: readonly object[];
}

export interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An object that helm made; what is looked at depends on its kind. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
  /** Of ConfigMaps alone. */
  readonly data?: Readonly<Record<string, string>>;
  /** Of roles alone. */
  readonly rules?: readonly Rule[];
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

export function objectsOf({ ok, text, fault }: Rendering): readonly Rendered[] {
  if (!ok) throw new Error(fault);
  return loadAll(text).filter((document) => document !== null && document !== undefined) as Rendered[];
}
