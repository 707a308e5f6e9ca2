import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHART } from './chart.ts';
import { findHelm, objectsOf, template } from './helm.ts';
import { METALLB_VALUES } from './metallb-values.ts';
import { isUnused, valueAt, valueLeaves, valuesSchema } from './values-schema.ts';

/** A values file of MetalLB's chart carries over: taken whole, with what means nothing here said. */

/** By the end of its description. */
const UNUSED = valueLeaves(valuesSchema())
  .filter((leaf) => leaf.path !== 'global' && isUnused(leaf))
  .map(({ path }) => path);

const helm = await findHelm();

if (helm === undefined)
  test.skip('skipped: no helm; run `npm run cluster -- tools`, or name one in HELM', () => undefined);
else
  describe("a values file of MetalLB's chart", () => {
    withHelm(helm);
  });

function withHelm(program: string): void {
  /** What an installation says when it is done; `helm template` leaves it out, so it is made part of an object here. */
  const notes = (values: object): string => {
    const folder = mkdtempSync(join(tmpdir(), 'mlf-chart-'));
    try {
      cpSync(CHART, folder, { recursive: true });
      const templates = join(folder, 'templates');
      const text = readFileSync(join(templates, 'NOTES.txt'), 'utf8');
      const object = 'kind: Notes\ntext: {{ include "notes" . | toJson }}\n';
      writeFileSync(join(templates, 'notes.yaml'), `{{ define "notes" }}${text}{{ end }}${object}`);
      const documents = objectsOf(template(program, values, folder));
      return (documents.find(({ kind }) => kind === 'Notes') as unknown as { text: string }).text;
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  /** The line below the one that announces them. */
  const unusedIn = (text: string): readonly string[] =>
    (/mean nothing here.*\n(.+)\n/.exec(text)?.[1] ?? '').split(', ').filter((path) => path !== '');

  test('is taken whole, and each value does what it does there', () => {
    const rendering = template(program, METALLB_VALUES);
    expect(rendering.fault).toBe('');
    const wanted = [
      '--lb-class=example.com/metallb',
      '--port=19120',
      '--tls-min-version=VersionTLS12',
      '--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      '--tls-curve-preferences=29,4588',
      '--metrics-cert-dir=/etc/metrics-certificate',
      'secretName: controller-certificate',
      'secretName: speaker-certificate',
      'prometheus.io/port: "19120"',
      'prometheus.io/scheme: https',
      'name: prometheus-k8s',
      'namespace: monitoring',
      'release: pods',
      'example.com/of: pods',
      'jobLabel: example.com/job-of-pods',
      'interval: 15s',
      'regex: metallb_.+',
      'targetLabel: node_of_pod',
      'release: speaker',
      'example.com/of: controller',
      'serverName: speaker.example.com',
      'serverName: controller.example.com',
      'jobLabel: example.com/job-of-services',
      'release: rules',
      'severity: sixty',
      'pool!~"small-.*"',
      'pool!~"tiny-.*"',
      'alert: OfTheUser',
      '--log-level=warn',
      'maxSurge: 25%',
      'serviceAccountName: of-controller',
      'runAsUser: 65533',
      'fsGroup: 65532',
      'runtimeClassName: runtime-of-controller',
      'failureThreshold: 9',
      'image: example.com/sidecar:1',
      '--ignore-exclude-lb',
      'type: OnDelete',
      'serviceAccountName: of-speaker',
      '- 951',
      '- 7777',
      'runtimeClassName: runtime-of-speaker',
      'failureThreshold: 33',
      'memory: 303Mi',
    ];
    expect(wanted.filter((part) => !rendering.text.includes(part))).toEqual([]);
    const unwanted = ['older-name', 'metallb/controller', 'frrouting', '7946', 'maxUnavailable'];
    expect(unwanted.filter((part) => rendering.text.includes(part))).toEqual([]);
    const speaker = objectsOf(rendering).find(({ kind }) => kind === 'DaemonSet')!.spec.template.spec;
    expect(speaker.containers.map(({ name }) => name)).toEqual(['speaker', 'frr', 'sidecar']);
    expect(speaker.containers[0]).not.toHaveProperty('readinessProbe');
    const readers = objectsOf(rendering).filter(
      ({ kind, metadata }) => kind.endsWith('Binding') && metadata.name.endsWith('metrics-reader'),
    );
    expect(readers.map(({ kind }) => kind).sort()).toEqual(['ClusterRoleBinding', 'RoleBinding']);
    for (const { subjects } of readers) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'prometheus-k8s', namespace: 'monitoring' }]);
    }
  });

  test('every value that the chart takes and does not use stands in it', () => {
    expect(UNUSED.length).toBeGreaterThan(20);
    expect(UNUSED.filter((path) => valueAt(METALLB_VALUES, path) === undefined)).toEqual([]);
  });

  test('the notes name what means nothing here, and nothing when all is used', () => {
    const named = unusedIn(notes(METALLB_VALUES));
    expect(
      named.filter((path) => !UNUSED.some((each) => each === path || each.startsWith(`${path}.`))),
    ).toEqual([]);
    // Without a value in MetalLB's file, there is nothing to say of it.
    const silent = ['controller.tlsCipherSuites', 'speaker.bgpDebounceTimeout'];
    const isNamed = (path: string): boolean =>
      named.some((each) => path === each || path.startsWith(`${each}.`));
    expect(UNUSED.filter((path) => !isNamed(path))).toEqual(silent);
    expect(unusedIn(notes({ speaker: { logLevel: 'debug' } }))).toEqual([]);
    expect(
      unusedIn(notes({ controller: { tlsCipherSuites: 'a' }, speaker: { bgpDebounceTimeout: 1 } })),
    ).toEqual(silent);
  });

  test.each([
    {
      values: { controller: { image: { repository: 'example.com/ours' } } },
      says: 'controller.image.repository: "example.com/ours" would not be used: set image.repository',
    },
    {
      values: { speaker: { image: { repository: 'example.com/ours' } } },
      says: 'speaker.image.repository: "example.com/ours" would not be used: set image.repository',
    },
    {
      values: { speaker: { frr: { image: { repository: 'example.com/ours' } } } },
      says: 'speaker.frr.image.repository: "example.com/ours" would not be used: set frr.image.repository',
    },
    {
      values: { prometheus: { serviceAccount: 'prometheus', podMonitor: { enabled: true } } },
      says: 'prometheus.serviceAccount and prometheus.namespace: only one of them is set',
    },
    { values: { speaker: { frr: { nonsense: 1 } } }, says: 'nonsense' },
  ])('$values is refused, with its name', ({ values, says }) => {
    expect(template(program, values)).toMatchObject({
      ok: false,
      fault: expect.stringContaining(says) as string,
    });
  });
}
