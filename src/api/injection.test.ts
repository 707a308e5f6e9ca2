import { describe, expect, test } from 'vitest';
import { manifest, parse } from './testing.ts';

/** Every text of the API that can reach frr.conf, with what must not get there. */

const PEER = { myASN: 64512, peerASN: 64500, peerAddress: '192.0.2.1' };

/** `put` gives the document with the text in that field; `path` is what the message must name. */
interface Field {
  readonly path: string;
  readonly good: string;
  readonly longest: number;
  readonly put: (text: string) => unknown;
}

const inPeer =
  (field: string, rest: object = PEER) =>
  (text: string): unknown =>
    manifest('BGPPeer', { spec: { ...rest, [field]: text } });

const { peerAddress: _address, ...WITHOUT_ADDRESS } = PEER;

const inConfigMap =
  (field: string) =>
  (text: string): unknown => ({
    ...manifest('ConfigMap', {
      data: {
        config: `peers: [${JSON.stringify({ 'my-asn': 64512, 'peer-asn': 64500, 'peer-address': '192.0.2.1', [field]: text })}]`,
      },
    }),
    metadata: { name: 'config' },
  });

const FIELDS: readonly Field[] = [
  { path: 'spec.peerAddress', good: '192.0.2.1', longest: 45, put: inPeer('peerAddress') },
  { path: 'spec.sourceAddress', good: '192.0.2.2', longest: 45, put: inPeer('sourceAddress') },
  { path: 'spec.routerID', good: '192.0.2.3', longest: 15, put: inPeer('routerID') },
  { path: 'spec.interface', good: 'eth1', longest: 15, put: inPeer('interface', WITHOUT_ADDRESS) },
  { path: 'spec.vrf', good: 'red', longest: 15, put: inPeer('vrf') },
  { path: 'spec.password', good: 'hunter2', longest: 80, put: inPeer('password') },
  { path: 'spec.holdTime', good: '90s', longest: 64, put: inPeer('holdTime') },
  { path: 'spec.keepaliveTime', good: '30s', longest: 64, put: inPeer('keepaliveTime') },
  { path: 'spec.connectTime', good: '10s', longest: 64, put: inPeer('connectTime') },
  { path: 'spec.bfdProfile', good: 'fast', longest: 253, put: inPeer('bfdProfile') },
  {
    path: 'metadata.name',
    good: 'fast',
    longest: 64,
    put: (name) => ({ ...manifest('BFDProfile', {}), metadata: { name } }),
  },
  {
    path: 'metadata.name',
    good: 'tor1',
    longest: 253,
    put: (name) => ({ ...manifest('BGPPeer', { spec: PEER }), metadata: { name } }),
  },
  {
    path: 'spec.communities[0].value',
    good: '64496:1',
    longest: 40,
    put: (value) => manifest('Community', { spec: { communities: [{ name: 'a', value }] } }),
  },
  {
    path: 'data.config.peers[0].peer-address',
    good: '192.0.2.1',
    longest: 45,
    put: inConfigMap('peer-address'),
  },
  {
    path: 'data.config.peers[0].source-address',
    good: '192.0.2.2',
    longest: 45,
    put: inConfigMap('source-address'),
  },
  { path: 'data.config.peers[0].router-id', good: '192.0.2.3', longest: 15, put: inConfigMap('router-id') },
  { path: 'data.config.peers[0].password', good: 'hunter2', longest: 80, put: inConfigMap('password') },
  {
    path: 'data.config.bfd-profiles[0].name',
    good: 'fast',
    longest: 63,
    put: (name) => ({
      ...manifest('ConfigMap', { data: { config: `bfd-profiles: [${JSON.stringify({ name })}]` } }),
      metadata: { name: 'config' },
    }),
  },
];

/** Behind a text that is good by itself. */
const TAILS: readonly (readonly [string, string])[] = [
  ['a line break and a command', '\n neighbor 192.0.2.66 remote-as 64511'],
  ['a carriage return', '\r!'],
  ['NUL', '\u0000'],
  ['escape', '\u001b[2J'],
  ['delete', '\u007f'],
  ['next line', '\u0085'],
  ['line separator', '\u2028'],
  ['a blank', ' x'],
  ['a tab', '\tx'],
  ['a blank at the end', ' '],
];

/** These are letters like others to the vty, so that only a password may have them. */
const MARKS: readonly string[] = ['!', '#', '"', "'", '?', '|', '\\', '`', '$(', ';', '{', 'é'];

describe.each(FIELDS)('$path', ({ path, good, longest, put }) => {
  const isPassword = path.endsWith('password');
  const isLegacyName = path.endsWith('bfd-profiles[0].name');

  test('a good text is taken', () => {
    const { objects, problems } = parse(put(good));
    expect(problems.filter((problem) => !problem.startsWith('warning'))).toEqual([]);
    expect(objects).toHaveLength(1);
  });

  test.each(TAILS)('%s is refused', (_name, tail) => {
    const { objects, problems } = parse(put(good + tail));
    expect(objects).toEqual([]);
    expect(problems).toContainEqual(expect.stringContaining(`${path}: `));
    for (const problem of problems) {
      // eslint-disable-next-line no-control-regex -- nothing that moves a cursor may be printed
      expect(problem).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
      if (isPassword) expect(problem).not.toContain('hunter2');
    }
  });

  test.each(MARKS)('%s', (mark) => {
    for (const text of [good + mark, mark + good]) {
      const { objects } = parse(put(text));
      expect(objects).toHaveLength(isPassword || (isLegacyName && text.startsWith(mark)) ? 1 : 0);
    }
  });

  test('a text that is too long is refused, and not repeated in full', () => {
    const { objects, problems } = parse(put(good.slice(0, 1).repeat(longest + 1)));
    if (isLegacyName) {
      expect(objects).toMatchObject([{ metadata: { name: good.slice(0, 1).repeat(longest) } }]);
      return;
    }
    expect(objects).toEqual([]);
    expect(problems.every((problem) => problem.length < 500)).toBe(true);
    expect(parse(put('x'.repeat(100_000))).problems.every((problem) => problem.length < 500)).toBe(true);
  });
});
