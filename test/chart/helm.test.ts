import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { EXCLUDED_LINKS } from '../../src/cli/link-exclusion.ts';
import { createProgram } from '../../src/cli/program.ts';
import { RESOURCES } from '../../src/k8s/resources.ts';
import { parseLinkExclusion } from '../../src/l2/index.ts';
import { CHART, walk, type Schema } from './chart.ts';
import { METALLB_VALUES } from './metallb-values.ts';
import { defaultValues, isUnused, valueLeaves, valuesSchema } from './values-schema.ts';
import {
  findHelm,
  NAMESPACE,
  objectsOf,
  template,
  type Container,
  type PodSpec,
  type Rendered,
} from './helm.ts';

const schema = valuesSchema();
const defaults = defaultValues() as object;

/** Paths of the values that are not objects with known fields: `speaker.logLevel`, `imagePullSecrets`. */
function leaves(at: Schema, path = ''): string[] {
  if (!at.properties) return [path];
  return Object.entries(at.properties).flatMap(([name, inner]) =>
    leaves(inner, path === '' ? name : `${path}.${name}`),
  );
}

/** What MetalLB called differently before; the name of today stands in values.yaml. */
const OLDER_NAMES = [
  'prometheus.secureMetricsPort',
  'prometheus.controllerMetricsTLSSecret',
  'prometheus.speakerMetricsTLSSecret',
];

/** What a user may set, each at least once, with what must come of it. */
const SETTINGS: readonly {
  readonly name: string;
  readonly values: object;
  /** In the text that helm gives. */
  readonly has?: readonly (string | RegExp)[];
  readonly lacks?: readonly (string | RegExp)[];
}[] = [
  {
    name: 'nothing',
    values: {},
    has: ['replicas: 2', 'minAvailable: 1'],
    lacks: ['--lb-class', '--ignore-exclude-lb', '--l2-drain-cordoned', 'monitoring.coreos.com'],
  },
  { name: 'values of a chart above', values: { global: { anything: 1 } } },
  {
    name: 'another name of the application',
    values: { nameOverride: 'edge' },
    has: ['app.kubernetes.io/name: edge', 'name: metallb-frr-edge-speaker'],
  },
  {
    name: 'the whole name',
    values: { fullnameOverride: 'edge' },
    has: ['name: edge-speaker', 'name: edge:controller'],
    lacks: ['name: metallb-frr-speaker'],
  },
  {
    name: 'images',
    values: {
      image: { repository: 'example.com/ours', tag: '1.2.3', pullPolicy: 'Always' },
      frr: { image: { repository: 'example.com/frr', tag: '10', pullPolicy: 'Never' } },
      imagePullSecrets: [{ name: 'pull' }],
    },
    has: [
      'image: "example.com/ours:1.2.3"',
      'imagePullPolicy: Always',
      'image: "example.com/frr:10"',
      'imagePullPolicy: Never',
      /imagePullSecrets:\n +- name: pull/,
    ],
    lacks: ['image: "metallb-frr', 'IfNotPresent'],
  },
  {
    name: 'a load balancer class',
    values: { loadBalancerClass: 'example.com/metallb' },
    has: ['--lb-class=example.com/metallb'],
  },
  {
    name: 'another port for metrics',
    values: { prometheus: { metricsPort: 19_120 } },
    has: ['--port=19120', 'containerPort: 19120', 'resources: [tokenreviews]', ':metrics-reader'],
  },
  {
    name: 'metrics over plain HTTP',
    values: { prometheus: { plainHTTP: true } },
    has: ['--metrics-port=7472', '--metrics-port=7473', '--port=0', 'containerPort: 7473'],
    lacks: ['tokenreviews', ':metrics-reader', '--port=9120'],
  },
  {
    name: 'NetworkPolicies',
    values: { networkpolicies: { enabled: true, defaultDeny: true, apiPort: 7443 } },
    has: ['port: 7443', 'port: health', 'port: metrics', 'podSelector: {}', 'metallb-frr-default-deny'],
  },
  {
    name: 'a NetworkPolicy of a controller without metrics',
    values: { networkpolicies: { enabled: true }, prometheus: { metricsPort: 0 } },
    has: ['kind: NetworkPolicy', 'port: 6443'],
    lacks: ['port: metrics', 'default-deny'],
  },
  { name: 'no roles', values: { rbac: { create: false } }, lacks: ['rbac.authorization.k8s.io'] },
  {
    name: 'the controller',
    values: {
      controller: {
        replicas: 3,
        logLevel: 'debug',
        metricsPort: 17_000,
        resources: { requests: { cpu: 1 }, limits: { memory: '1Gi' } },
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 }],
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
        priorityClassName: 'important',
        podAnnotations: { 'example.com/note': 'one' },
        labels: { team: 'net' },
        podDisruptionBudget: { enabled: true, minAvailable: '50%' },
      },
      prometheus: { plainHTTP: true },
    },
    has: [
      'replicas: 3',
      '--log-level=debug',
      '--metrics-port=17000',
      'containerPort: 17000',
      'memory: 1Gi',
      'disk: ssd',
      'tolerationSeconds: 5',
      'nodeAffinity:',
      'priorityClassName: important',
      'example.com/note: one',
      'team: net',
      'minAvailable: 50%',
    ],
    lacks: ['podAntiAffinity', 'replicas: 2'],
  },
  {
    name: 'one controller',
    values: { controller: { replicas: 1 } },
    has: ['replicas: 1'],
    lacks: ['PodDisruptionBudget'],
  },
  {
    name: 'the speaker',
    values: {
      speaker: {
        logLevel: 'none',
        metricsPort: 0,
        resources: { requests: { cpu: '20m' }, limits: { memory: '200Mi' } },
        nodeSelector: { rack: 'one' },
        tolerations: [{ operator: 'Exists' }],
        tolerateMaster: false,
        affinity: { podAntiAffinity: {} },
        priorityClassName: '',
        ignoreExcludeLB: true,
        excludeInterfaces: { enabled: false },
        layer2: { drainCordoned: true },
        updateStrategy: { rollingUpdate: { maxUnavailable: '10%' } },
        minReadySeconds: 7,
        podAnnotations: { 'example.com/note': 'two' },
        labels: { team: 'edge' },
        frr: { resources: { requests: { memory: '77Mi' }, limits: { memory: '88Mi' } } },
      },
      prometheus: { plainHTTP: true },
    },
    has: [
      '--log-level=none',
      '--metrics-port=0',
      'memory: 200Mi',
      'cpu: 20m',
      'memory: 77Mi',
      'memory: 88Mi',
      'rack: one',
      /tolerations:\n +- operator: Exists\n/,
      '--ignore-exclude-lb',
      '--l2-drain-cordoned',
      'maxUnavailable: 10%',
      'minReadySeconds: 7',
      'example.com/note: two',
      'team: edge',
    ],
    lacks: [
      'node-role.kubernetes.io',
      'system-node-critical',
      'containerPort: 7473',
      'announcedInterfacesToExclude',
    ],
  },
  {
    name: 'ServiceAccounts that are made',
    values: {
      controller: { serviceAccount: { name: 'c', annotations: { 'example.com/role': 'one' } } },
      speaker: { serviceAccount: { name: 's', annotations: { 'example.com/role': 'two' } } },
    },
    has: ['example.com/role: one', 'example.com/role: two', 'serviceAccountName: c', 'serviceAccountName: s'],
  },
  {
    name: 'ServiceAccounts that are there',
    values: {
      controller: { serviceAccount: { create: false, name: 'c' } },
      speaker: { serviceAccount: { create: false, name: 's' } },
    },
    has: ['serviceAccountName: c', 'serviceAccountName: s'],
    lacks: ['kind: ServiceAccount\nmetadata'],
  },
  {
    name: 'monitors and alerts',
    values: {
      prometheus: {
        podMonitor: { enabled: true, additionalLabels: { release: 'pods' }, interval: '15s' },
        serviceMonitor: { enabled: true, interval: '1m30s' },
        prometheusRule: { enabled: true, additionalLabels: { release: 'rules' } },
      },
    },
    has: [
      'kind: PodMonitor',
      'kind: ServiceMonitor',
      'release: pods',
      'release: rules',
      'interval: 15s',
      'interval: 1m30s',
      'jobLabel: app.kubernetes.io/name',
      'scheme: https',
      'severity: warning',
      'severity: critical',
    ],
  },
  {
    name: 'monitors without metrics',
    values: {
      prometheus: { metricsPort: 0, podMonitor: { enabled: true }, serviceMonitor: { enabled: true } },
    },
    lacks: ['monitoring.coreos.com', 'kind: Service\n'],
  },
  {
    name: 'annotations for a Prometheus that goes by these',
    values: { prometheus: { scrapeAnnotations: true, plainHTTP: true } },
    has: ['prometheus.io/port: "7472"', 'prometheus.io/port: "7473"', 'prometheus.io/scheme: http\n'],
  },
  { name: "every value of MetalLB's chart", values: METALLB_VALUES, has: ['kind: PodMonitor'] },
];

describe('the values', () => {
  test('each has a description and a type, and no other is taken', () => {
    for (const [path, each] of walk(schema)) {
      if (path.endsWith('{}')) continue;
      expect(each.description, path).toMatch(/^[A-Z].*[.]$/);
      expect(each.type, path).toBeDefined();
      if (each.properties) expect(each.additionalProperties, path).toBe(false);
    }
  });

  test('values.yaml sets what the schema knows, and every one of it', () => {
    const unused = new Set(
      valueLeaves(schema)
        .filter(isUnused)
        .map(({ path }) => path),
    );
    const known = leaves(schema).filter((path) => !unused.has(path) && !OLDER_NAMES.includes(path));
    expect(leavesOf(defaults, known)).toEqual([...known].sort());
  });

  test('every one is set in a case below', () => {
    const known = leaves(schema);
    const set = new Set(SETTINGS.flatMap(({ values }) => leavesOf(values, known)));
    expect(known.filter((path) => !set.has(path))).toEqual([]);
  });
});

/** Which of the known paths are given in an object; what is given and not known is itself. */
function leavesOf(value: object, known: readonly string[], path = ''): string[] {
  return Object.entries(value)
    .flatMap(([name, inner]: [string, unknown]) => {
      const at = path === '' ? name : `${path}.${name}`;
      if (known.includes(at) || typeof inner !== 'object' || inner === null) return [at];
      return leavesOf(inner, known, at);
    })
    .sort();
}

/** The long options of a command of ours. */
function flagsOf(name: string): ReadonlySet<string> {
  const command = createProgram().commands.find((each) => each.name() === name)!;
  return new Set(command.options.map(({ long }) => long ?? ''));
}

function named(objects: readonly Rendered[], kind: string): readonly Rendered[] {
  return objects.filter((object) => object.kind === kind);
}

function pods(objects: readonly Rendered[]): readonly PodSpec[] {
  return [...named(objects, 'Deployment'), ...named(objects, 'DaemonSet')].map(
    ({ spec }) => spec.template.spec,
  );
}

function container(objects: readonly Rendered[], name: string): Container {
  return pods(objects)
    .flatMap(({ containers, initContainers = [] }) => [...containers, ...initContainers])
    .find((each) => each.name === name)!;
}

const helm = await findHelm();

if (helm === undefined)
  test.skip('skipped: no helm; run `npm run cluster -- tools`, or name one in HELM', () => undefined);
else
  describe('with helm', () => {
    withHelm(helm);
  });

function withHelm(program: string): void {
  test('lint finds nothing', () => {
    const run = spawnSync(program, ['lint', '--strict', '--quiet', CHART], { encoding: 'utf8' });
    expect(run.stdout + run.stderr).toBe('');
    expect(run.status).toBe(0);
  });

  test.each([
    { nonsense: true },
    { speaker: { logLevel: 'loud' } },
    { speaker: { metricsPort: 65_536 } },
    { frr: { image: 'frr:10' } },
    { controller: { replicas: '2' } },
    { imagePullSecrets: ['pull'] },
  ])('%j is refused', (values) => {
    expect(template(program, values)).toMatchObject({
      ok: false,
      fault: expect.stringContaining('schema') as string,
    });
  });

  describe.each(SETTINGS)('with $name', ({ values, has = [], lacks = [] }) => {
    const rendering = template(program, values);
    const objects = rendering.ok ? objectsOf(rendering) : [];

    test('says so in the manifests', () => {
      expect(rendering.fault).toBe('');
      const { text } = rendering;
      const isIn = (part: string | RegExp): boolean =>
        typeof part === 'string' ? text.includes(part) : part.test(text);
      expect(has.filter((part) => !isIn(part))).toEqual([]);
      expect(lacks.filter(isIn)).toEqual([]);
    });

    test('gives commands that our program understands', () => {
      for (const name of ['controller', 'speaker']) {
        const [command = '', ...options] = container(objects, name).args ?? [];
        expect(command).toBe(name);
        const flags = options.map((option) => option.split('=')[0] ?? '');
        expect(flags.filter((flag) => !flagsOf(command).has(flag))).toEqual([]);
        expect(options).toContain('--namespace=$(METALLB_NAMESPACE)');
      }
    });

    test('selects its own pods, and puts every namespaced object into the namespace', () => {
      for (const { metadata, spec } of [...named(objects, 'Deployment'), ...named(objects, 'DaemonSet')]) {
        expect(spec.template.metadata.labels, metadata.name).toMatchObject(spec.selector.matchLabels);
      }
      for (const { kind, metadata } of objects) {
        expect(metadata.namespace, kind).toBe(kind.startsWith('ClusterRole') ? undefined : NAMESPACE);
        expect(Object.keys(metadata.labels)).toContain('app.kubernetes.io/component');
      }
    });

    test('binds each role to the ServiceAccount of a pod', () => {
      const accounts = pods(objects).map(({ serviceAccountName }) => serviceAccountName);
      const made = named(objects, 'ServiceAccount').map(({ metadata }) => metadata.name);
      expect(made.filter((name) => !accounts.includes(name))).toEqual([]);
      // Those who read the metrics are others.
      const isOurs = ({ metadata }: Rendered): boolean => !metadata.name.endsWith('metrics-reader');
      const roles = [...named(objects, 'Role'), ...named(objects, 'ClusterRole')].filter(isOurs);
      const kinds = ['RoleBinding', 'ClusterRoleBinding'];
      const bindings = kinds.flatMap((kind) => named(objects, kind)).filter(isOurs);
      expect(bindings.map(({ roleRef }) => `${roleRef.kind} ${roleRef.name}`).sort()).toEqual(
        roles.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(),
      );
      for (const { subjects, roleRef } of bindings) {
        const who = roleRef.name.endsWith('speaker') ? 'DaemonSet' : 'Deployment';
        const { serviceAccountName } = named(objects, who)[0]!.spec.template.spec;
        expect(subjects).toEqual([
          { kind: 'ServiceAccount', name: serviceAccountName, namespace: NAMESPACE },
        ]);
      }
    });
  });

  const usual = objectsOf(template(program));

  describe('what the ServiceAccounts may do', () => {
    /** `Role metallb-frr-speaker list secrets`, with the name when there is one. */
    const grants = [...named(usual, 'Role'), ...named(usual, 'ClusterRole')].flatMap(
      ({ kind, metadata, rules = [] }) =>
        rules.flatMap(({ verbs, resources = [], resourceNames = [''] }) =>
          verbs.flatMap((verb) =>
            resources.flatMap((resource) =>
              resourceNames.map((name) =>
                [kind, metadata.name.slice(-7), verb, resource, name].join(' ').trim(),
              ),
            ),
          ),
        ),
    );

    test('nothing is given by a star', () => {
      const rules = usual.flatMap((object) => object.rules ?? []);
      const words = rules.flatMap(({ apiGroups = [], resources = [], verbs }) => [
        ...apiGroups,
        ...resources,
        ...verbs,
      ]);
      expect(words).not.toContain('*');
    });

    test('Secrets are read by speakers alone, and only in the namespace', () => {
      expect(grants.filter((grant) => grant.includes('secrets'))).toEqual([
        'Role speaker get secrets',
        'Role speaker list secrets',
        'Role speaker watch secrets',
      ]);
    });

    test('in all namespaces, nothing is written but statuses of Services and Events, and reviews are asked for', () => {
      const writes = grants.filter((grant) => /^ClusterRole \S+ (?!get|list|watch)/.test(grant));
      expect(writes).toEqual([
        'ClusterRole troller patch services/status',
        'ClusterRole troller create events',
        'ClusterRole troller patch events',
        'ClusterRole troller create tokenreviews',
        'ClusterRole troller create subjectaccessreviews',
        'ClusterRole speaker create events',
        'ClusterRole speaker patch events',
        'ClusterRole speaker create tokenreviews',
        'ClusterRole speaker create subjectaccessreviews',
      ]);
    });

    test('each group has the resources that we know there', () => {
      const known = new Set([
        ...Object.values(RESOURCES).map(({ apiVersion, plural }) =>
          apiVersion.includes('/') ? `${apiVersion.split('/')[0] ?? ''}/${plural}` : `/${plural}`,
        ),
        'authentication.k8s.io/tokenreviews',
        'authorization.k8s.io/subjectaccessreviews',
      ]);
      const given = usual.flatMap((object) =>
        (object.rules ?? []).flatMap(({ apiGroups = [], resources = [] }) =>
          apiGroups.flatMap((group) =>
            resources.map((resource) => `${group}/${resource.split('/')[0] ?? ''}`),
          ),
        ),
      );
      expect(given.filter((each) => !known.has(each))).toEqual([]);
    });
  });

  describe('the pods', () => {
    test('each container drops all capabilities and gets back what it needs', () => {
      const added = (name: string): readonly string[] | undefined => {
        const { drop, add } = container(usual, name).securityContext.capabilities;
        expect(drop).toEqual(['ALL']);
        return add;
      };
      expect(added('controller')).toBeUndefined();
      expect(added('speaker')).toEqual(['NET_RAW']);
      expect(added('frr')).toContain('NET_ADMIN');
      for (const name of ['controller', 'speaker', 'frr']) {
        expect(container(usual, name).securityContext.readOnlyRootFilesystem).toBe(true);
      }
    });

    test("only the speaker's container of its pod has the token, and both have FRR's folders", () => {
      const pod = named(usual, 'DaemonSet')[0]!.spec.template.spec;
      expect(pod).toMatchObject({ hostNetwork: true, automountServiceAccountToken: false });
      const mounts = (name: string): string[] =>
        (container(usual, name).volumeMounts ?? []).map(({ mountPath }) => mountPath);
      const shared = ['/var/run/frr', '/etc/frr'];
      expect(mounts('frr')).toEqual([...shared, '/var/tmp/frr']);
      expect(mounts('speaker')).toEqual([
        ...[...shared, '/etc/metallb', '/tmp'],
        '/var/run/secrets/kubernetes.io/serviceaccount',
      ]);
    });

    test('the speaker finds the interfaces that nothing is announced on where it looks for them', () => {
      const [map] = named(usual, 'ConfigMap');
      const [[file, text] = ['', '']] = Object.entries(map?.data ?? {});
      expect(`/etc/metallb/${file}`).toBe(EXCLUDED_LINKS);
      const { exclusion, problems } = parseLinkExclusion({ text, file });
      expect(problems).toEqual([]);
      const excluded = ['eth0', 'bond0', 'veth1a2b', 'lo', 'lo0', 'cali7', 'flannel.1', 'eno1.100'].filter(
        (name) => exclusion.patterns.some((pattern) => pattern.test(name)),
      );
      expect(excluded).toEqual(['veth1a2b', 'lo', 'cali7', 'flannel.1']);
      const volumes = named(usual, 'DaemonSet')[0]?.spec.template.spec.volumes;
      expect(volumes).toContainEqual(
        expect.objectContaining({ configMap: { name: map?.metadata.name, optional: true } }),
      );
    });
  });

  test('alerts ask for metrics that we have', () => {
    const values = { prometheus: { prometheusRule: { enabled: true } } };
    const rules = named(objectsOf(template(program, values)), 'PrometheusRule')[0]!.spec.groups[0]!.rules;
    expect(rules.map(({ alert }) => alert)).toEqual([
      'MetalLBStaleConfig',
      'MetalLBConfigNotLoaded',
      'MetalLBAddressPoolExhausted',
      'MetalLBAddressPoolUsage75Percent',
      'MetalLBAddressPoolUsage85Percent',
      'MetalLBAddressPoolUsage95Percent',
      'MetalLBBGPSessionDown',
    ]);
    const metrics = new Set(rules.flatMap(({ expr }) => expr.match(/metallb_\w+/g) ?? []));
    expect([...metrics].sort()).toEqual([
      'metallb_allocator_addresses_in_use_total',
      'metallb_allocator_addresses_total',
      'metallb_bgp_session_up',
      'metallb_k8s_client_config_loaded_bool',
      'metallb_k8s_client_config_stale_bool',
    ]);
  });
}
