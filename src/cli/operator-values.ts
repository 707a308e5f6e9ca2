import { readFileSync } from 'node:fs';
import { parseManifestText } from '../manifest/index.ts';
import { UserError } from './user-error.ts';

/** What became of a MetalLB object of the OpenShift operator: values for the chart, and what has none. */
export interface OperatorValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** Fields without an equivalent, with the reason: `spec.bgpBackend: ...`. */
  readonly notes: readonly string[];
}

type Put = (path: string, value: unknown) => void;

/** How each field of the spec is said in the chart's values; an unknown one is named. */
const FIELDS: Readonly<Record<string, (value: unknown, put: Put) => string | undefined>> = {
  nodeSelector: to('speaker.nodeSelector'),
  speakerTolerations: to('speaker.tolerations'),
  controllerNodeSelector: to('controller.nodeSelector'),
  controllerTolerations: to('controller.tolerations'),
  loadBalancerClass: to('loadBalancerClass'),
  logLevel: (value, put) => {
    put('speaker.logLevel', value);
    put('controller.logLevel', value);
    return undefined;
  },
  speakerConfig: podConfig('speaker'),
  controllerConfig: podConfig('controller'),
  frrk8sConfig: () => 'FRR runs in the speaker pod, there is no frr-k8s',
  bgpBackend: () => 'FRR in the speaker pod is the only one',
  controllerImage: image,
  speakerImage: image,
  frrImage: image,
};

/**
 * The chart's values for an object of kind MetalLB (`metallb.io/v1beta1`), as the OpenShift operator has it.
 * @throws {UserError} when a file holds none, or cannot be read
 */
export function operatorValuesOf(paths: readonly string[]): OperatorValues {
  const specs = paths.flatMap((path) => specsIn(path));
  const [spec] = specs;
  if (spec === undefined || specs.length > 1) {
    throw new UserError(
      `${paths.join(', ')}: must hold one object of kind MetalLB (metallb.io/v1beta1), and holds ${specs.length === 0 ? 'none' : String(specs.length)}`,
    );
  }
  const values: Record<string, unknown> = {};
  const notes: string[] = [];
  const put: Put = (path, value) => {
    putAt(values, path.split('.'), value);
  };
  for (const [field, value] of Object.entries(spec)) {
    const note = Object.hasOwn(FIELDS, field)
      ? FIELDS[field]?.(value, put)
      : 'nothing in the chart is like it';
    if (note !== undefined) notes.push(...note.split('\n').map((line) => noteOf(field, line)));
  }
  return { values, notes };
}

function noteOf(field: string, line: string): string {
  return line.startsWith('.') ? `spec.${field}${line}` : `spec.${field}: ${line}`;
}

function specsIn(path: string): Readonly<Record<string, unknown>>[] {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    throw new UserError(
      `${path}: cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
  const { documents, problems } = parseManifestText({ text, file: path });
  const [problem] = problems;
  if (problem) throw new UserError(`${path}: ${problem.message}`);
  return documents.flatMap(({ value }) => {
    const { apiVersion, kind, spec } = recordOf(value);
    return apiVersion === 'metallb.io/v1beta1' && kind === 'MetalLB' ? [recordOf(spec)] : [];
  });
}

function to(path: string): (value: unknown, put: Put) => undefined {
  return (value, put) => {
    put(path, value);
    return undefined;
  };
}

function image(): string {
  return 'set image.repository, image.tag and frr.image of the chart to where your images are';
}

/** `priorityClassName`, `runtimeClassName`, `annotations`, `affinity` and `resources` of a component's pods. */
function podConfig(component: 'speaker' | 'controller'): (value: unknown, put: Put) => string | undefined {
  const known: Readonly<Record<string, string>> = {
    priorityClassName: 'priorityClassName',
    runtimeClassName: 'runtimeClassName',
    annotations: 'podAnnotations',
    affinity: 'affinity',
    resources: 'resources',
  };
  return (value, put) => {
    const notes: string[] = [];
    for (const [field, setting] of Object.entries(recordOf(value))) {
      const name = known[field];
      if (name === undefined) notes.push(`.${field}: nothing in the chart is like it`);
      else put(`${component}.${name}`, setting);
    }
    return notes.length === 0 ? undefined : notes.join('\n');
  };
}

function putAt(
  values: Record<string, unknown>,
  [first = '', ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) {
    values[first] = value;
    return;
  }
  const inner = recordOf(values[first]);
  values[first] = { ...inner };
  putAt(values[first] as Record<string, unknown>, rest, value);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
