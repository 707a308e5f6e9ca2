import { describe, expect, test } from 'vitest';
import { decodeManifest, MAX_MANIFEST_BYTES } from './bytes.ts';

const at = { file: 'pools.yaml', line: 1, column: 1 };

describe('decodeManifest', () => {
  test.each([
    { name: 'text', bytes: Buffer.from('a: é\n'), want: 'a: é\n' },
    { name: 'nothing', bytes: Buffer.from(''), want: '' },
    { name: 'a byte order mark', bytes: Buffer.from('\uFEFFa: 1\n'), want: 'a: 1\n' },
    {
      name: 'a byte order mark before a later document',
      bytes: Buffer.from('a: 1\n\uFEFF---\n'),
      want: 'a: 1\n---\n',
    },
    {
      name: 'a zero-width space inside a text',
      bytes: Buffer.from('a: "x\uFEFFy"\n'),
      want: 'a: "x\uFEFFy"\n',
    },
  ])('$name', ({ bytes, want }) => {
    expect(decodeManifest(bytes, 'pools.yaml')).toEqual({ ok: true, text: want });
  });

  test.each([
    { name: 'NUL bytes', bytes: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]), want: /NUL bytes/ },
    { name: 'UTF-16', bytes: Buffer.from('a: 1', 'utf16le'), want: /NUL bytes/ },
    { name: 'Latin-1', bytes: Buffer.from('a: é', 'latin1'), want: /not UTF-8/ },
    { name: 'a cut-off character', bytes: Buffer.from('é').subarray(0, 1), want: /not UTF-8/ },
    {
      name: 'too much',
      bytes: new Uint8Array(MAX_MANIFEST_BYTES + 1).fill(0x20),
      want: /at most 67108864 bytes/,
    },
  ])('refuses $name', ({ bytes, want }) => {
    const decoded = decodeManifest(bytes, 'pools.yaml');
    expect(decoded.ok).toBe(false);
    if (decoded.ok) return;
    expect(decoded.problem).toMatchObject({ reason: 'FileUnreadable', severity: 'error', position: at });
    expect(decoded.problem.message).toMatch(want);
  });
});
