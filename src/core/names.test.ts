import { describe, expect, test } from 'vitest';
import {
  isPossibleLinkName,
  labelKeyFault,
  labelValueFault,
  linkNameFault,
  namespaceNameFault,
  objectNameFault,
} from './names.ts';
import { passwordFault } from './password.ts';

interface Grammar {
  readonly name: string;
  readonly faultOf: (text: string) => string | undefined;
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const CONTROL = ['a\nb', 'a\rb', 'a\u0000b', 'a\u001bb', 'a\tb', 'a\u0085b'];

const GRAMMARS: readonly Grammar[] = [
  {
    name: 'object name',
    faultOf: objectNameFault,
    good: ['a', '9', 'a-b', 'a.b', 'tor-1.example.com', 'a'.repeat(253)],
    bad: [
      '',
      'A',
      'a_b',
      '-a',
      'a-',
      '.a',
      'a.',
      'a..b',
      'a.-b',
      'a b',
      'ä',
      'a!',
      'a"b',
      'a'.repeat(254),
      ...CONTROL,
    ],
  },
  {
    name: 'namespace name',
    faultOf: namespaceNameFault,
    good: ['a', 'metallb-system', 'a'.repeat(63)],
    bad: ['', 'a.b', 'A', '-a', 'a-', 'a'.repeat(64), ...CONTROL],
  },
  {
    name: 'label key',
    faultOf: labelKeyFault,
    good: [
      'a',
      'A_b.c-9',
      'example.com/role',
      'kubernetes.io/hostname',
      `${'a'.repeat(253)}/b`,
      'a'.repeat(63),
    ],
    bad: [
      '',
      '/',
      'a/',
      '/a',
      'a/b/c',
      '-a',
      'a-',
      'Example.com/a',
      'a b',
      'a'.repeat(64),
      `${'a'.repeat(254)}/b`,
      ...CONTROL,
    ],
  },
  {
    name: 'label value',
    faultOf: labelValueFault,
    good: ['', 'a', 'A_b.c-9', 'a'.repeat(63)],
    bad: ['-a', 'a-', 'a/b', 'a b', 'a'.repeat(64), ...CONTROL],
  },
  {
    name: 'interface name',
    faultOf: linkNameFault,
    good: ['eth0', 'eth0.100', 'br-lan', 'wan_1', 'a@b', '9', '...', 'a'.repeat(15)],
    bad: [
      '',
      '.',
      '..',
      'a/b',
      'a:b',
      'a b',
      'a!',
      '!',
      '#a',
      'a?b',
      'a|b',
      'a"b',
      "a'b",
      'ä',
      'a'.repeat(16),
      ...CONTROL,
    ],
  },
  {
    name: 'any interface name',
    faultOf: (text) => (isPossibleLinkName(text) ? undefined : 'no'),
    good: ['eth0', 'a!', 'ä', 'é'.repeat(7)],
    bad: ['', '.', '..', 'a/b', 'a:b', 'a b', 'a\nb', 'a\u0000', 'a'.repeat(16), 'é'.repeat(8)],
  },
  {
    name: 'password',
    faultOf: passwordFault,
    good: [
      'a',
      '!a',
      '#a',
      'a?b',
      'a|b',
      '"a"',
      "'",
      '\\',
      '{a}',
      '$(a)',
      'é',
      'x'.repeat(80),
      'é'.repeat(40),
    ],
    bad: [
      '',
      ' ',
      'a b',
      ' a',
      'a ',
      'a\u00a0b',
      'a\u2028b',
      'a\u200bb',
      'x'.repeat(81),
      'é'.repeat(41),
      '\ud800',
      ...CONTROL,
    ],
  },
];

describe.each(GRAMMARS)('$name', ({ faultOf, good, bad }) => {
  test.each(good)('%j', (text) => {
    expect(faultOf(text)).toBeUndefined();
  });

  test.each(bad)('%j is refused', (text) => {
    expect(faultOf(text)).toEqual(expect.any(String));
  });
});

test('a fault of a password does not show it', () => {
  for (const password of ['hunter2 ', 'hunter2\n', 'hunter2'.repeat(20)]) {
    expect(passwordFault(password)).not.toContain('hunter2');
  }
});

test('a hostile name is refused within the time limit: no pattern goes back over it again and again', () => {
  for (const faultOf of [
    objectNameFault,
    namespaceNameFault,
    labelKeyFault,
    labelValueFault,
    linkNameFault,
  ]) {
    expect(faultOf(`${'a-'.repeat(500_000)}!`)).toEqual(expect.any(String));
    expect(faultOf(`${'a.'.repeat(126)}!`)).toEqual(expect.any(String));
  }
});
