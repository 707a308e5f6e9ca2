import { describe, expect, test } from 'vitest';
import {
  diffFrrConfig,
  learnForms,
  linesOf,
  parseFrrConfig,
  underEquivalence,
  type EquivalentForms,
} from './index.ts';

const OURS = 'router bgp 64496\n neighbor 192.0.2.1 remote-as 64497\nexit\n';

function learn(options: { before: string; running: string; extras: string }): readonly EquivalentForms[] {
  return learnForms({
    before: parseFrrConfig(options.before),
    running: parseFrrConfig(options.running),
    wanted: parseFrrConfig(OURS + options.extras),
    extras: parseFrrConfig(options.extras),
  });
}

function change(running: string, extras: string, forms: readonly EquivalentForms[]): string[] {
  const wanted = parseFrrConfig(OURS + extras);
  return linesOf(diffFrrConfig(underEquivalence(parseFrrConfig(running), wanted, forms), wanted));
}

const LIST = 'ip prefix-list users permit 192.0.2.0/24\n';
const PRINTED = 'ip prefix-list users seq 5 permit 192.0.2.0/24\n';

describe('forms of the extras', () => {
  const forms = learn({ before: OURS, running: OURS + PRINTED, extras: LIST });

  test('are learnt from what appears', () => {
    expect(forms).toEqual([
      {
        typed: [{ path: [], line: LIST.trim() }],
        printed: [{ path: [], line: PRINTED.trim() }],
      },
    ]);
  });

  test('make the difference empty', () => {
    expect(change(OURS + PRINTED, LIST, [])).not.toEqual([]);
    expect(change(OURS + PRINTED, LIST, forms)).toEqual([]);
  });

  test('hold no longer when what was printed is gone', () => {
    expect(change(OURS, LIST, forms)).toEqual([LIST.trim()]);
  });

  test('are taken out when what was typed is no longer wanted', () => {
    expect(change(OURS + PRINTED, '', forms)).toEqual([`no ${PRINTED.trim()}`]);
  });

  test('survive JSON', () => {
    expect(change(OURS + PRINTED, LIST, JSON.parse(JSON.stringify(forms)) as EquivalentForms[])).toEqual([]);
  });

  test('do not hide what is missing elsewhere', () => {
    expect(change(PRINTED, LIST, forms)).toEqual([
      'router bgp 64496',
      ' neighbor 192.0.2.1 remote-as 64497',
      'end',
    ]);
  });
});

describe('learning', () => {
  test.each<[string, { before: string; running: string; extras: string }, readonly EquivalentForms[]]>([
    ['nothing when FRR shows what was typed', { before: OURS, running: OURS + PRINTED, extras: PRINTED }, []],
    [
      'that FRR does not print a line',
      { before: OURS, running: OURS, extras: 'bgp route-map delay-timer 5\n' },
      [{ typed: [{ path: [], line: 'bgp route-map delay-timer 5' }], printed: [] }],
    ],
    [
      'nothing from what stood there before',
      { before: OURS + PRINTED, running: OURS + PRINTED, extras: PRINTED },
      [],
    ],
    [
      'that what stood there before is no form',
      { before: OURS + PRINTED, running: OURS + PRINTED, extras: LIST },
      [{ typed: [{ path: [], line: LIST.trim() }], printed: [] }],
    ],
    [
      'a value FRR changed',
      {
        before: OURS,
        running: OURS.replace('exit', ' neighbor 192.0.2.1 timers 3 9\nexit'),
        extras: 'router bgp 64496\n neighbor 192.0.2.1 timers 5 9\n',
      },
      [
        {
          typed: [{ path: ['router bgp 64496'], line: 'neighbor 192.0.2.1 timers 5 9' }],
          printed: [{ path: ['router bgp 64496'], line: 'neighbor 192.0.2.1 timers 3 9' }],
        },
      ],
    ],
    [
      'a line that came along with one that is shown as typed',
      {
        before: OURS,
        running: `${OURS}log syslog informational\nlog facility local1\n`,
        extras: 'log syslog informational\n',
      },
      [
        {
          typed: [{ path: [], line: 'log syslog informational' }],
          printed: [{ path: [], line: 'log facility local1' }],
        },
      ],
    ],
    [
      'all together when something appeared in a context nobody typed in',
      {
        before: OURS,
        running: `${OURS}${PRINTED}router bgp 64496 vrf red\n bgp router-id 192.0.2.1\n`,
        extras: LIST,
      },
      [
        {
          typed: [{ path: [], line: LIST.trim() }],
          printed: [
            { path: [], line: PRINTED.trim() },
            { path: ['router bgp 64496 vrf red'], line: 'bgp router-id 192.0.2.1' },
          ],
        },
      ],
    ],
    [
      'contexts apart from each other',
      {
        before: OURS,
        running: `${OURS}${PRINTED}route-map a permit 10\n set metric +1\n`,
        extras: `${LIST}route-map a permit 10\n set metric +01\n`,
      },
      [
        { typed: [{ path: [], line: LIST.trim() }], printed: [{ path: [], line: PRINTED.trim() }] },
        {
          typed: [{ path: ['route-map a permit 10'], line: 'set metric +01' }],
          printed: [{ path: ['route-map a permit 10'], line: 'set metric +1' }],
        },
      ],
    ],
  ])('%s', (_, options, expected) => {
    expect(learn(options)).toEqual(expected);
  });
});
