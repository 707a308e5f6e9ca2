import { afterEach, describe, expect, test, vi } from 'vitest';
import { runningConfigIn, runVtysh } from './vtysh-process.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('vtysh is given no pager, even where the user has one: it would start it for every line', async () => {
  vi.stubEnv('VTYSH_PAGER', 'less');
  const { stdout } = await runVtysh(['/bin/sh', '-c', 'echo "<${VTYSH_PAGER-none}>"'], [], {
    timeoutMs: 10_000,
  });
  expect(stdout).toBe('<none>\n');
});

describe('the running configuration in what vtysh printed', () => {
  const CONFIG = [
    'Building configuration...',
    '',
    'Current configuration:',
    '!',
    'frr version 10.3',
    'router bgp 64496',
    ' no bgp default ipv4-unicast',
    'exit',
    '!',
    'end',
    '',
  ].join('\n');

  test('of a process', () => {
    expect(runningConfigIn(`${CONFIG} zebra bgpd staticd bfdd\n`, { daemons: ['zebra', 'bgpd'] })).toBe(
      CONFIG,
    );
  });

  test('between the echoes of an open vtysh', () => {
    const transcript = `n1# show running-config\n${CONFIG}n1# show daemons\n zebra bgpd staticd\nn1# `;
    expect(runningConfigIn(transcript, { daemons: ['zebra', 'bgpd'] })).toBe(CONFIG);
  });

  test.each<[string, string, RegExp]>([
    ['a daemon is not there', `${CONFIG} zebra staticd\n`, /^bgpd is not running$/],
    [
      'a daemon was restarted since the line before',
      `n1# show running-config\nWarning: closing connection to bgpd because of an I/O error!\n${CONFIG}n1# show daemons\n zebra bgpd\n`,
      /^bgpd is not running$/,
    ],
    [
      'a daemon ends while it answers',
      `${CONFIG.replace('end\n', 'vtysh: error reading from zebra: Success (0)end\n')} bgpd\n`,
      /^FRR gives no running configuration|^zebra is not running$/,
    ],
    ['the configuration is cut off', CONFIG.slice(0, -5), /^FRR gives no running configuration/],
    ['there is none', 'failed to connect to any daemons\n', /failed to connect to any daemons$/],
  ])('is refused when %s', (_, output, words) => {
    expect(() => runningConfigIn(output, { daemons: ['zebra', 'bgpd'] })).toThrow(words);
  });

  test('a text of the user that looks like a notice is none', () => {
    const described = CONFIG.replace(
      ' no bgp',
      ' neighbor 192.0.2.1 description Warning: closing connection to bgpd\n no bgp',
    );
    expect(runningConfigIn(`${described} zebra bgpd\n`, { daemons: ['bgpd'] })).toBe(described);
  });
});
