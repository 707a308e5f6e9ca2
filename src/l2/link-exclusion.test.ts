import { describe, expect, test } from 'vitest';
import { formatProblem } from '../core/problem.ts';
import { isExcluded, parseLinkExclusion } from './link-exclusion.ts';

const parse = (text: string): ReturnType<typeof parseLinkExclusion> =>
  parseLinkExclusion({ text, file: 'excludel2.yaml' });

describe('the exclusion of interfaces', () => {
  test('is what MetalLB ships', () => {
    const names = [
      'docker',
      'cbr',
      'dummy',
      'virbr',
      'lxcbr',
      'veth',
      'cali',
      'tunl',
      'flannel',
      'kube-ipvs',
      'cni',
    ];
    const list = [...names.map((name) => `^${name}.*`), '^lo$', '^nodelocaldns.*', '^lxc.*'];
    const text = `announcedInterfacesToExclude: [${list.map((item) => `"${item}"`).join(', ')}]`;
    const { exclusion, problems } = parse(text);
    expect(problems).toEqual([]);
    const excluded = (name: string): boolean => isExcluded(exclusion, name);
    expect(['docker0', 'veth12ab', 'lo', 'cni0', 'kube-ipvs0', 'lxc_health'].filter(excluded)).toHaveLength(
      6,
    );
    expect(['eth0', 'ens3', 'bond0', 'br-lan', 'lo1', 'xcali'].filter(excluded)).toEqual([]);
  });

  test.each([
    '',
    '# nothing\n',
    '---\n',
    'announcedInterfacesToExclude:\n',
    'announcedInterfacesToExclude: []\n',
  ])('is empty: %j', (text) => {
    expect(parse(text)).toEqual({ exclusion: { patterns: [] }, problems: [] });
  });

  test('is what can be read, and the rest is said with its place', () => {
    const text = [
      'announcedInterfacesToExclude:',
      '  - "^docker.*"',
      '  - veth(',
      '  - 7',
      '  - ""',
      '  - "^cali"',
      'excluded: []',
      '',
    ].join('\n');
    const { exclusion, problems } = parse(text);
    expect(['docker0', 'cali1', 'veth0', 'eth7'].filter((name) => isExcluded(exclusion, name))).toEqual([
      'docker0',
      'cali1',
    ]);
    expect(problems.map(({ severity }) => severity)).toEqual(['warning', 'error', 'error', 'error']);
    expect(problems.map(formatProblem)).toEqual([
      'excluded: is not known: the only key is announcedInterfacesToExclude (excludel2.yaml:7:1)',
      'announcedInterfacesToExclude[1]: "veth(": is not a regular expression (Unterminated group) (excludel2.yaml:3:5)',
      'announcedInterfacesToExclude[2]: must be a regular expression, such as "^docker.*" (excludel2.yaml:4:5)',
      'announcedInterfacesToExclude[3]: "": is found in every name, and would exclude every interface (excludel2.yaml:5:6)',
    ]);
  });

  test.each([
    ['{', 'excludel2.yaml'],
    ['[a, b]', 'must be an object with the key announcedInterfacesToExclude'],
    ['just text', 'must be an object'],
    ['announcedInterfacesToExclude: ^docker', 'must be a list of regular expressions'],
    ['announcedInterfacesToExclude: {a: b}', 'must be a list of regular expressions'],
    ['announcedInterfacesToExclude: []\n---\na: b\n', 'the file is one YAML document (excludel2.yaml:3:1)'],
  ])('is not %j', (text, message) => {
    const { exclusion, problems } = parse(text);
    expect(exclusion.patterns).toEqual([]);
    expect(problems.map(formatProblem)).toEqual([expect.stringContaining(message)]);
    expect(problems[0]?.severity).toBe('error');
  });
});
