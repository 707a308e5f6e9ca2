import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answerOf, daemonGone, refusedInFile } from './refusal.ts';

function recorded(name: string): string {
  return readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8');
}

/** Each with the header of its own context in front, as far as the file shows it by indentation. */
function linesOfFile(name: string): { text: string; path: string[] }[] {
  const path: string[] = [];
  return recorded(name)
    .trimEnd()
    .split('\n')
    .map((text) => {
      const depth = text.length - text.trimStart().length;
      path.splice(depth);
      const line = { text, path: [...path] };
      path[depth] = text.trim();
      return line;
    });
}

describe.each(['8.4.4', '10.3'])('vtysh -f of FRR %s', (version) => {
  test('names each refused line with the words of whoever refused it', () => {
    const lines = linesOfFile('refused.conf');
    const refused = refusedInFile(
      lines,
      recorded(`refused-${version}.out`),
      recorded(`refused-${version}.err`),
    );
    expect(refused.map(({ line, words }) => [line, words])).toEqual([
      ['bogus extras', 'Unknown command'],
      ['neighbor 192.0.2.1 timers 400 2', 'Invalid value'],
      [
        'neighbor 192.0.2.1 local-as 64496 no-prepend replace-as',
        'Cannot have local-as same as BGP AS number',
      ],
      ['neighbor 192.0.2.2 password [redacted]', 'Specify remote-as or peer-group commands first'],
      ['neighbor eth1 ebgp-multihop', 'Operation not allowed on a directly connected neighbor'],
      ['neighbor 192.0.2.1 frobnicate', 'Unknown command'],
      ['network 198.51.100.1/33', 'Unknown command'],
      ['neighbor 192.0.2.9 activate', 'Specify remote-as or peer-group commands first'],
      ['router bgp 64500', expect.stringMatching(/^BGP (?:instance )?is already running; AS is 64496$/)],
      ['match tag 0', 'Unknown command'],
      ['set community nonsense', "Malformed communities attribute 'nonsense'"],
      ['receive-interval 5', 'Unknown command'],
    ]);
    expect(refused.find(({ line }) => line === 'neighbor 192.0.2.9 activate')?.path).toEqual([
      'router bgp 64496',
      'address-family ipv4 unicast',
    ]);
    expect(JSON.stringify(refused)).not.toContain('s3cr3t');
  });

  test('says that a transaction failed, though not by which line', () => {
    const [out, err] = [recorded(`transaction-${version}.out`), recorded(`transaction-${version}.err`)];
    const refused = refusedInFile(linesOfFile('transaction.conf'), out, err);
    expect(refused.length).toBe(1);
    for (const { line, words } of refused) {
      expect(line).toBe('');
      expect(words).toBe(
        'Configuration failed. Invalid prefix range for 192.0.2.0/24: Make sure that mask length <= ge <= le',
      );
    }
  });
});

test('words that cannot be assigned are left away', () => {
  const lines = linesOfFile('refused.conf');
  const err = 'line 5: Failure to communicate[13] to bgpd, line:  neighbor 192.0.2.1 timers 400 2\n';
  const refused = refusedInFile(lines, '% Invalid value\n% Another word\n', err);
  expect(refused.map(({ words }) => words)).toEqual(['Failure to communicate']);
});

describe('the answer to one line', () => {
  test.each<[string[], ReturnType<typeof answerOf>]>([
    [[], { kind: 'taken' }],
    [
      ['% Echo mode works correctly for IPv4, but only works when the peer is also FRR for IPv6.'],
      { kind: 'taken' },
    ],
    [['Graceful restart configuration changed, reset this peer to take effect'], { kind: 'taken' }],
    [["The route-map 'nowhere' does not exist."], { kind: 'taken' }],
    [['% Unknown command: bogus extras'], { kind: 'refused', words: 'Unknown command: bogus extras' }],
    [
      ['BGP is already running; AS is 64496'],
      { kind: 'refused', words: 'BGP is already running; AS is 64496' },
    ],
    [
      ['BGP instance name and AS number mismatch', 'BGP instance is already running; AS is 64496'],
      { kind: 'refused', words: 'BGP instance is already running; AS is 64496' },
    ],
    [
      ['% Configuration failed.', 'Error type: validation', 'Error description: Invalid prefix range'],
      {
        kind: 'refused',
        words: 'Configuration failed. Error type: validation Error description: Invalid prefix range',
      },
    ],
    [
      ['% Unknown command: neighbor 192.0.2.1 password s3cr3t'],
      { kind: 'refused', words: 'Unknown command: neighbor 192.0.2.1 password [redacted]' },
    ],
    [['bgpd is not running'], { kind: 'not-running', daemon: 'bgpd' }],
    [
      ['Warning: closing connection to bgpd because of an I/O error!'],
      { kind: 'not-running', daemon: 'bgpd' },
    ],
    [['vtysh: error reading from bgpd: Success (0)'], { kind: 'not-running', daemon: 'bgpd' }],
  ])('%j', (output, answer) => {
    expect(answerOf(output)).toEqual(answer);
  });
});

test('a vtysh that reaches nobody', () => {
  expect(daemonGone(['Exiting: failed to connect to any daemons.'])).toBe('FRR');
});
