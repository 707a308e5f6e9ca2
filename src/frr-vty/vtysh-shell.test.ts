import { expect, test } from 'vitest';
import { outputsByLine } from './vtysh-shell.ts';

test.each<[string, string[], string, string[][]]>([
  ['echoes only', ['configure terminal', 'end'], 'n1# configure terminal\nn1(config)# end\nn1# ', [[], []]],
  [
    'a line that is answered',
    ['configure terminal', 'bogus', 'end'],
    'n1# configure terminal\nn1(config)# bogus\n% Unknown command: bogus\nn1(config)# end\nn1# ',
    [[], ['% Unknown command: bogus'], []],
  ],
  [
    'an answer of several lines',
    ['show daemons'],
    'n1# show daemons\n zebra bgpd\n\n bfdd\nn1# ',
    [['zebra bgpd', 'bfdd']],
  ],
  [
    'the same line twice',
    ['router bgp 64496', 'router bgp 64496'],
    'n1(config)# router bgp 64496\n% first\nn1(config-router)# router bgp 64496\n% second\nn1(config-router)# ',
    [['% first'], ['% second']],
  ],
  ['a host name with blanks and signs', ['end'], 'a host#1(config)# end\nx# ', [[]]],
  ['a banner in front', ['end'], '\nHello, this is FRRouting (version 10.3).\n\nn1# end\nn1# ', [[]]],
  [
    'a daemon that ends while it answers',
    ['configure terminal', 'router bgp 64496', 'end'],
    'n1# configure terminal\nvtysh: error reading from bgpd: Connection reset by peer (104)n1(config)# router bgp 64496\nn1(config-router)# end\nn1# ',
    [['vtysh: error reading from bgpd: Connection reset by peer (104)'], [], []],
  ],
  ['nothing at all', ['end'], '', [[]]],
])('%s', (_, lines, transcript, expected) => {
  expect(outputsByLine(lines, transcript)).toEqual(expected);
});
