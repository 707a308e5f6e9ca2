import { describe, expect, test } from 'vitest';
import { recording, RECORDED_VERSIONS } from '../../test/frr-json/recordings.ts';
import { peerText } from './identity.ts';
import { parseMonitorLine, type MonitorEvent } from './monitor-line.ts';

/** An event in short, link-local addresses made equal. */
function short(event: MonitorEvent | undefined): string {
  if (!event) return '-';
  switch (event.kind) {
    case 'bgp':
      return `bgp ${peerText(event.peer)} ${event.to}${event.reason === undefined ? '' : `: ${event.reason}`}`;
    case 'bfd':
      return `bfd ${event.session.peer.text} ${event.from} ${event.to} ${event.diagnostic ?? ''}`.trimEnd();
    case 'bfd-created':
    case 'bfd-deleted':
      return `${event.kind} ${event.session.peer.text}${event.session.multihop ? ' multihop' : ''}`;
    case 'monitor-lost':
    case 'messages-lost':
    case 'unreadable':
      return `${event.kind} ${event.daemon}`;
  }
}

describe.each(RECORDED_VERSIONS)('the monitor of FRR %s', (version) => {
  const lines = recording(version, 'monitor.txt').trimEnd().split('\n');
  const steps = new Map<string, string[]>();
  for (const line of lines) {
    if (line.startsWith('# ')) steps.set(line.slice(2), []);
    else [...steps.values()].at(-1)!.push(short(parseMonitorLine(line)));
  }

  test.each([
    {
      step: 'the link to the router is cut',
      events: [
        'bfd 192.0.2.2 Up Down ControlDetectionTimeExpired',
        'bgp 192.0.2.2 down: BGP Notification send',
        'bfd 2001:db8::2 Up Down ControlDetectionTimeExpired',
        'bgp 2001:db8::2 down: BGP Notification send',
        'bfd 203.0.113.2 Up Down ControlDetectionTimeExpired',
        'bgp 203.0.113.2 down: BGP Notification send',
      ],
    },
    { step: 'and mended', events: ['bgp 192.0.2.2 up', 'bgp 2001:db8::2 up', 'bgp 203.0.113.2 up'] },
    { step: 'clear bgp eth1', events: ['bgp eth1 down: User reset'] },
    { step: 'a BFD session is added', events: ['bfd-created 192.0.2.123'] },
    {
      step: 'the neighbor is removed here',
      events: ['bfd-deleted 203.0.113.2 multihop', 'bgp 203.0.113.2 down: Neighbor deleted'],
    },
    { step: 'bfdd is killed', events: ['monitor-lost bfdd'] },
    { step: 'bgpd is ended', events: ['monitor-lost bgpd'] },
  ])('$step', ({ step, events }) => {
    expect(steps.get(step)).toEqual(expect.arrayContaining(events));
  });

  test('every line about a session parses, the others are skipped', () => {
    for (const line of lines) {
      const aboutSession = /state-change:|session-(new|delete)|session destroy|%ADJCHANGE|log monitor/.test(
        line,
      );
      const event = parseMonitorLine(line);
      expect(event !== undefined, line).toBe(aboutSession);
      expect(event?.kind, line).not.toBe('unreadable');
    }
  });

  test('it says on which way BFD came up', () => {
    expect(steps.get('and mended')!.filter((event) => /^bfd .* Up$/.test(event))).toHaveLength(3);
  });
});

const AT = '2026-11-21 09:44:01.879';

describe('a line', () => {
  test.each([
    {
      name: 'BFD, single hop',
      line: `${AT} [DEBG] bfdd: [SEY1D-NT8EQ] state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default ifname:eth0] up -> down reason:control-expired`,
      want: {
        kind: 'bfd',
        session: {
          vrf: '',
          multihop: false,
          interface: 'eth0',
          peer: { text: '192.0.2.2' },
          local: { text: '192.0.2.1' },
        },
        from: 'Up',
        to: 'Down',
        diagnostic: 'ControlDetectionTimeExpired',
      },
    },
    {
      name: 'BFD, multihop in a VRF, no interface',
      line: `${AT} [DEBG] bfdd: [J1C6V-VMRW5] state-change: [mhop:yes peer:2001:db8::2 local:2001:db8::1 vrf:red] init -> up`,
      want: {
        kind: 'bfd',
        session: { vrf: 'red', multihop: true, peer: { text: '2001:db8::2' } },
        from: 'Init',
        to: 'Up',
      },
    },
    {
      name: 'BFD shut down here, no local address',
      line: `${AT} [DEBG] bfdd: [SEY1D-NT8EQ] state-change: [mhop:no peer:192.0.2.123 local:0.0.0.0] admin-down -> down reason:path-down`,
      want: { kind: 'bfd', session: { vrf: '' }, from: 'AdminDown', to: 'Down', diagnostic: 'PathDown' },
    },
    {
      name: 'without identifier, as after `no log unique-id`',
      line: `${AT} [DEBG] bfdd: state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default] down -> up`,
      want: { kind: 'bfd', to: 'Up' },
    },
    {
      name: 'with an error category, and blanks at the end',
      line: `${AT} [WARN] bgpd: [PXVXG-TFNNT][EC 33554509] %ADJCHANGE: neighbor 192.0.2.2(tor1) in vrf default Up  \r`,
      want: { kind: 'bgp', vrf: '', peer: { kind: 'address', address: { text: '192.0.2.2' } }, to: 'up' },
    },
    {
      name: 'BGP in a VRF with a reason in brackets',
      line: `${AT} [INFO] bgpd: [PXVXG-TFNNT] %ADJCHANGE: neighbor 2001:db8::2(Unknown) in vrf red Down Admin. shutdown (RTT)`,
      want: { kind: 'bgp', vrf: 'red', to: 'down', reason: 'Admin. shutdown (RTT)' },
    },
    {
      name: 'BGP without host name and reason',
      line: `${AT} [INFO] bgpd: %ADJCHANGE: neighbor eth1 in vrf default Down`,
      want: { kind: 'bgp', peer: { kind: 'interface', interface: 'eth1' }, to: 'down' },
    },
    {
      name: 'a host name that pretends',
      line: `${AT} [INFO] bgpd: [N9HHH-F8H1M] %ADJCHANGE: neighbor 192.0.2.2(x) in vrf red Down now (y) in vrf default Up`,
      want: { kind: 'bgp', vrf: '', to: 'up' },
    },
    {
      name: 'lost messages',
      line: '1362 log messages from bgpd lost (vtysh reading too slowly)',
      want: { kind: 'messages-lost', daemon: 'bgpd', count: 1362 },
    },
    {
      name: 'a broken log connection',
      line: `${AT} [ERR!] bfdd: log monitor connection error: Connection reset by peer`,
      want: { kind: 'monitor-lost', daemon: 'bfdd' },
    },
    {
      name: 'a line broken by a host name',
      line: `${AT} [INFO] bgpd: [N9HHH-F8H1M] %ADJCHANGE: neighbor 192.0.2.2(x`,
      want: { kind: 'unreadable', daemon: 'bgpd' },
    },
    {
      name: 'a BFD state of the future',
      line: `${AT} [DEBG] bfdd: state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default] up -> sideways`,
      want: { kind: 'unreadable', daemon: 'bfdd' },
    },
    {
      name: 'a BFD session that cannot be read',
      line: `${AT} [DEBG] bfdd: [NW21R-MRYNT] session-delete: mhop:no peer:1.2 local:0.0.0.0 vrf:default`,
      want: { kind: 'unreadable', daemon: 'bfdd' },
    },
    {
      name: 'FRR 10 destroying a session',
      line: `${AT} [INFO] bfdd: [G19T6-PDJ4V] session destroy: mhop:no peer:192.0.2.123 local:0.0.0.0 vrf:default`,
      want: { kind: 'bfd-deleted', session: { peer: { text: '192.0.2.123' } } },
    },
  ])('$name', ({ line, want }) => {
    expect(parseMonitorLine(line)).toMatchObject(want);
  });

  test('diagnostic, local address and interface are absent when the line has none', () => {
    const line = `${AT} [DEBG] bfdd: state-change: [mhop:no peer:192.0.2.2 local:0.0.0.0 vrf:default] down -> init`;
    const event = parseMonitorLine(line) as MonitorEvent & { kind: 'bfd' };
    expect(event).not.toHaveProperty('diagnostic');
    expect(event.session).not.toHaveProperty('local');
    expect(event.session).not.toHaveProperty('interface');
  });

  test.each([
    '',
    'vm# ',
    'Warning: connecting to bfdd...success!',
    'bfdd is not running',
    `${AT} [INFO] bgpd: [HZN6M-XRM1G] %NOTIFICATION(Hard Reset): sent to neighbor 192.0.2.2 6/10 (Cease/BFD Down) 0 bytes `,
    `${AT} [INFO] bgpd: [M59KS-A3ZXZ] bgp_update_receive: rcvd End-of-RIB for IPv4 Unicast from 192.0.2.2 in vrf default`,
    `${AT} [DEBG] zebra: state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default] up -> down`,
    `${AT} [DEBG] bgpd: state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default] up -> down`,
    `${AT} [INFO] zebra: %ADJCHANGE: neighbor 192.0.2.2(x) in vrf default Up`,
    `${AT} [INFO] bfdd: %ADJCHANGE: neighbor 192.0.2.2(x) in vrf default Up`,
    `${AT} [DEBG] bfdd: [YA0Q5-C0BPV] control-packet: no session found [mhop:no peer:192.0.2.67 local:192.0.2.1 port:2]`,
    'state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default] up -> down',
    '%ADJCHANGE: neighbor 192.0.2.2(x) in vrf default Up',
    'bgpd: %ADJCHANGE: neighbor 192.0.2.2(x) in vrf default Up',
  ])('is about something else: %j', (line) => {
    expect(parseMonitorLine(line)).toBeUndefined();
  });

  test('no event fits into the 64 bytes of a host name', () => {
    // bgpd prints `neighbor ADDRESS(HOST NAME) in vrf ...` with the line breaks that the peer put into its name.
    const shortest = [
      `${AT} [INFO] bgpd: %ADJCHANGE: neighbor a in vrf b Up`,
      `${AT} [DEBG] bfdd: state-change: [mhop:no peer::: local:::] up -> up`,
      `${AT} [DEBG] bfdd: session-new: mhop:no peer::: local:::`,
      `${AT} [ERR!] bfdd: log monitor connection error: x`,
    ];
    for (const line of shortest) {
      expect(parseMonitorLine(line), line).toBeDefined();
      // A line break in front, and one behind so that bgpd's own words do not spoil the end.
      expect(Buffer.byteLength(line) + 2, line).toBeGreaterThan(64);
    }
  });

  test('a line longer than any of FRR is not looked at', () => {
    const line = `${AT} [INFO] bgpd: %ADJCHANGE: neighbor 192.0.2.2(x) in vrf default Up`;
    expect(parseMonitorLine(line)).toBeDefined();
    expect(parseMonitorLine(line + ' '.repeat(10_000))).toBeUndefined();
  });
});
