import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldPath } from '../core/field-path.ts';
import { parseManifestText } from './manifest.ts';
import { positionOfPath } from './position.ts';

function positionIn(text: string, index: number, path: FieldPath): string {
  const { documents } = parseManifestText({ text, file: 'm.yaml' });
  const { line, column } = positionOfPath(documents[index]!, path);
  return `${line}:${column}`;
}

const PEER = `# peers
---
# tor1
kind: BGPPeer
spec: &spec
  "peer.address/x": 192.0.2.1
  nodeSelectors:
  - matchLabels: {rack: a,
      row: b}
  - !!map {k: v}
  other: x
---
kind: Second
`;

describe('positionOfPath', () => {
  test.each<{ path: FieldPath; index?: number; want: string }>([
    { path: [], want: '4:1' },
    { path: ['kind'], want: '4:1' },
    { path: ['spec'], want: '5:1' },
    { path: ['spec', 'peer.address/x'], want: '6:4' },
    { path: ['spec', 'nodeSelectors'], want: '7:3' },
    { path: ['spec', 'nodeSelectors', 0], want: '8:5' },
    { path: ['spec', 'nodeSelectors', 0, 'matchLabels', 'row'], want: '9:7' },
    { path: ['spec', 'nodeSelectors', 1], want: '10:5' },
    { path: ['spec', 'nodeSelectors', 1, 'k'], want: '10:12' },
    { path: ['kind'], index: 1, want: '13:1' },
    // The nearest that is written there.
    { path: ['spec', 'nodeSelectors', 7], want: '7:3' },
    { path: ['spec', 'holdTime'], want: '5:1' },
    { path: ['spec', 'other', 'x'], want: '11:3' },
    { path: ['status'], want: '4:1' },
  ])('$path of document $index', ({ path, index = 0, want }) => {
    expect(positionIn(PEER, index, path)).toBe(want);
  });

  test('an alias is where it is written', () => {
    const text = 'a: &a {x: 1}\nb:\n  c: *a\n';
    expect(positionIn(text, 0, ['b', 'c', 'x'])).toBe('3:3');
  });

  test('finds each key of any mapping', () => {
    const key = fc.stringMatching(/^[a-z]{1,6}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, selector: booleanOf }),
        fc.nat(20),
        fc.nat(5),
        (keys, above, indent) => {
          const pad = ' '.repeat(indent);
          const text = `${'# c\n'.repeat(above)}---\n${keys.map((each) => `${pad}${each}: {y: 1}\n`).join('')}`;
          keys.forEach((each, index) => {
            // Words such as `on` are keys under their own name all the same.
            expect(positionIn(text, 0, [each])).toBe(`${above + 2 + index}:${indent + 1}`);
          });
        },
      ),
    );
  });
});

/** `yes` and `on` are one key to YAML 1.1, and no mapping may hold both. */
function booleanOf(word: string): string {
  if (['y', 'yes', 'on', 'true'].includes(word)) return 'true';
  return ['n', 'no', 'off', 'false'].includes(word) ? 'false' : word;
}
