import { describe, expect, test } from 'vitest';
import { findHelm, objectsOf, template, type AlertRule } from './helm.ts';
import { checkRules, findPromtool, testRules, type AlertCase } from './promtool.ts';

/** The alerts of the chart, judged by Prometheus itself: each with a case that fires and ones that do not. */

/** What Prometheus adds to the series of a pod that a PodMonitor or a ServiceMonitor names. */
function inPod(metric: string, where: Readonly<Record<string, string>>): string {
  const labels = { namespace: 'metallb-system', ...where };
  const text = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return `${metric}{${text.join(',')}}`;
}

const N1 = { container: 'speaker', pod: 'speaker-n1' };
const C1 = { container: 'controller', pod: 'controller-1' };
const C2 = { container: 'controller', pod: 'controller-2' };
const OURS = { namespace: 'metallb-system' };

/** As a user sets them. */
const OF_USER = { severity: 'page', team: 'net' };

const STALE = 'metallb_k8s_client_config_stale_bool';
const LOADED = 'metallb_k8s_client_config_loaded_bool';
const TOTAL = 'metallb_allocator_addresses_total';
const IN_USE = 'metallb_allocator_addresses_in_use_total';
const SESSION = 'metallb_bgp_session_up';

/** A pool of 100 addresses with so many in use. */
function pool(used: number): Readonly<Record<string, string>> {
  const where = { ...C1, pool: 'first' };
  return { [inPod(TOTAL, where)]: '100x9', [inPod(IN_USE, where)]: `${used}x9` };
}

function usage(percent: number): readonly Case[] {
  const alert = `MetalLBAddressPoolUsage${percent}Percent`;
  return [
    {
      name: `a pool with more than ${percent} % in use`,
      ...{ alert, series: pool(percent + 1), atMinute: 2 },
      firing: [
        {
          labels: { ...OURS, ...C1, pool: 'first', severity: percent < 95 ? 'warning' : 'critical' },
          summary: `More than ${percent} % of the pool first is in use.`,
          description: `${percent + 1} percent of its addresses belong to Services.`,
        },
      ],
    },
    {
      name: `a pool that has just passed ${percent} %`,
      ...{ alert, series: pool(percent + 1), atMinute: 0, firing: [] },
    },
    {
      name: `a pool with ${percent} % in use`,
      ...{ alert, series: pool(percent), atMinute: 5, firing: [] },
    },
    {
      name: `a pool without addresses and ${percent} %`,
      ...{ alert, atMinute: 5, firing: [] },
      series: { [inPod(TOTAL, { pool: 'none' })]: '0x9', [inPod(IN_USE, { pool: 'none' })]: '0x9' },
    },
  ];
}

interface Case extends AlertCase {
  readonly name: string;
}

const CASES: readonly Case[] = [
  {
    name: 'part of the configuration not in use for a minute',
    ...{ alert: 'MetalLBStaleConfig', series: { [inPod(STALE, N1)]: '0 1x9' }, atMinute: 2 },
    firing: [
      {
        labels: { ...OURS, ...N1, severity: 'warning' },
        summary: 'Part of the configuration is not in use in speaker-n1.',
      },
    ],
  },
  {
    name: 'a configuration that was put right within the minute',
    ...{ alert: 'MetalLBStaleConfig', series: { [inPod(STALE, N1)]: '0 1 0x9' }, atMinute: 1, firing: [] },
  },
  {
    name: 'the same of an installation in another namespace',
    alert: 'MetalLBStaleConfig',
    series: { [inPod(STALE, { ...N1, namespace: 'elsewhere' })]: '1x9' },
    ...{ atMinute: 5, firing: [] },
  },
  {
    name: 'a speaker that has loaded nothing',
    ...{ alert: 'MetalLBConfigNotLoaded', series: { [inPod(LOADED, N1)]: '0x9' }, atMinute: 1 },
    firing: [
      {
        labels: { ...OURS, ...N1, severity: 'warning' },
        summary: 'No configuration has been loaded by the speaker of speaker-n1.',
      },
    ],
  },
  {
    name: 'two controllers that have both loaded nothing',
    alert: 'MetalLBConfigNotLoaded',
    series: { [inPod(LOADED, C1)]: '0x9', [inPod(LOADED, C2)]: '0x9' },
    atMinute: 1,
    firing: [
      {
        labels: { ...OURS, container: 'controller', severity: 'warning' },
        summary: 'No configuration has been loaded by the controller.',
      },
    ],
  },
  {
    name: 'a controller that stands by',
    alert: 'MetalLBConfigNotLoaded',
    series: { [inPod(LOADED, C1)]: '1x9', [inPod(LOADED, C2)]: '0x9', [inPod(LOADED, N1)]: '1x9' },
    ...{ atMinute: 5, firing: [] },
  },
  {
    name: 'a speaker that has just started',
    ...{ alert: 'MetalLBConfigNotLoaded', series: { [inPod(LOADED, N1)]: '0 1x9' }, atMinute: 0, firing: [] },
  },
  {
    name: 'a pool all of whose addresses are in use',
    ...{ alert: 'MetalLBAddressPoolExhausted', series: pool(100), atMinute: 1 },
    firing: [
      {
        labels: { ...OURS, ...C1, pool: 'first', severity: 'critical' },
        summary: 'The pool first has no address left.',
      },
    ],
  },
  {
    name: 'a pool that has just been used up',
    ...{ alert: 'MetalLBAddressPoolExhausted', series: pool(100), atMinute: 0, firing: [] },
  },
  {
    name: 'a pool with one address left',
    ...{ alert: 'MetalLBAddressPoolExhausted', series: pool(99), atMinute: 5, firing: [] },
  },
  ...[75, 85, 95].flatMap(usage),
  {
    name: 'one of two sessions that is down',
    alert: 'MetalLBBGPSessionDown',
    series: {
      [inPod(SESSION, { ...N1, peer: '198.51.100.1:179', vrf: 'default' })]: '1 0x9',
      [inPod(SESSION, { ...N1, peer: '198.51.100.2:179', vrf: 'default' })]: '1x9',
    },
    atMinute: 2,
    firing: [
      {
        labels: { ...OURS, ...N1, peer: '198.51.100.1:179', vrf: 'default', severity: 'critical' },
        summary: 'The BGP session of speaker-n1 with 198.51.100.1:179 is down.',
      },
    ],
  },
  {
    name: 'a session that came back within the minute',
    alert: 'MetalLBBGPSessionDown',
    series: { [inPod(SESSION, { ...N1, peer: '198.51.100.1:179', vrf: 'default' })]: '1 0 1x9' },
    ...{ atMinute: 1, firing: [] },
  },
  {
    name: 'a session of a peer that was removed while it was down',
    alert: 'MetalLBBGPSessionDown',
    series: { [inPod(SESSION, { ...N1, peer: '198.51.100.1:179', vrf: 'default' })]: '0 0 stale' },
    ...{ atMinute: 3, firing: [] },
  },
];

const helm = await findHelm();
const promtool = await findPromtool();

if (helm === undefined || promtool === undefined)
  test.skip('skipped: no helm or no promtool; run `npm run cluster -- tools`', () => undefined);
else
  describe('the alerts of the chart', () => {
    withPrograms(helm, promtool);
  });

function withPrograms(helmProgram: string, promtoolProgram: string): void {
  const groupsFor = (rules: object = {}): readonly { readonly rules: readonly AlertRule[] }[] => {
    const values = { prometheus: { prometheusRule: { enabled: true, ...rules } } };
    const made = objectsOf(template(helmProgram, values)).find(({ kind }) => kind === 'PrometheusRule');
    return made!.spec.groups;
  };
  const groups = groupsFor();

  test.each([
    { name: 'as they are', rules: {} },
    { name: 'with labels of the user', rules: { staleConfig: { labels: OF_USER } } },
    { name: 'without a usage', rules: { addressPoolUsage: { enabled: false } } },
    { name: 'with one that is the user’s', rules: { extraAlerts: [{ alert: 'Up', expr: 'up == 0' }] } },
  ])('promtool finds nothing wrong: $name', ({ rules }) => {
    const made = groupsFor(rules);
    const count = made.flatMap((group) => group.rules).length;
    expect(checkRules(promtoolProgram, made)).toMatchObject({
      ok: true,
      text: expect.stringContaining(`SUCCESS: ${count} rules found`) as string,
    });
  });

  test('promtool does find what is wrong', () => {
    const broken = groups.map(({ rules, ...group }) => ({
      ...group,
      rules: rules.map((rule) => ({ ...rule, expr: `${rule.expr} and` })),
    }));
    expect(checkRules(promtoolProgram, broken).ok).toBe(false);
  });

  test('each has a case that fires and one that does not', () => {
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const firing = CASES.filter((each) => each.firing.length > 0).map(({ alert }) => alert);
    const silent = CASES.filter((each) => each.firing.length === 0).map(({ alert }) => alert);
    expect([...new Set(firing)].sort()).toEqual([...alerts].sort());
    expect([...new Set(silent)].sort()).toEqual([...alerts].sort());
  });

  test.each(CASES)('$alert: $name', (each) => {
    expect(testRules(promtoolProgram, groups, each)).toMatchObject({
      ok: true,
      text: expect.stringContaining('SUCCESS') as string,
    });
  });

  test('a label of the user stands in the place of ours', () => {
    const [first] = CASES;
    const { firing, ...rest } = first!;
    const labels = { ...firing[0]!.labels, ...OF_USER };
    const ofUser = groupsFor({ staleConfig: { labels: OF_USER } });
    const wanted = { ...rest, firing: [{ ...firing[0]!, labels }] };
    expect(testRules(promtoolProgram, ofUser, wanted).text).toContain('SUCCESS');
    expect(testRules(promtoolProgram, groups, wanted).ok).toBe(false);
  });

  test.each([
    { rules: { addressPoolExhausted: { excludePools: 'fi.*' } }, alert: 'MetalLBAddressPoolExhausted' },
    { rules: { addressPoolUsage: { excludePools: 'fi.*' } }, alert: 'MetalLBAddressPoolUsage75Percent' },
  ])('$alert is not about pools that are left out', ({ rules, alert }) => {
    const others = groupsFor(rules);
    const firing = CASES.find((each) => each.alert === alert && each.firing.length > 0)!;
    const silent = { ...firing, firing: [] };
    expect(testRules(promtoolProgram, others, silent).text).toContain('SUCCESS');
    expect(testRules(promtoolProgram, groups, silent).ok).toBe(false);
  });

  test.each(['staleConfig', 'configNotLoaded', 'addressPoolExhausted', 'addressPoolUsage', 'bgpSessionDown'])(
    '%s can be turned off',
    (name) => {
      const left = groupsFor({ [name]: { enabled: false } }).flatMap(({ rules }) => rules);
      const missing = groups
        .flatMap(({ rules }) => rules.map(({ alert }) => alert))
        .filter((alert) => !left.some((rule) => rule.alert === alert));
      const start = `metallb${name}`.toLowerCase();
      expect(missing.length).toBeGreaterThan(0);
      expect(missing.filter((alert) => !alert.toLowerCase().startsWith(start))).toEqual([]);
    },
  );
}
