import { expect, test } from 'vitest';
import { withoutPassword } from './index.ts';

test.each([
  ['neighbor 192.0.2.1 password s3cr3t', 'neighbor 192.0.2.1 password [redacted]'],
  ['neighbor 192.0.2.1 password s3cr3t and more', 'neighbor 192.0.2.1 password [redacted]'],
  [
    '% Unknown command: neighbor 192.0.2.1 password s3cr3t',
    '% Unknown command: neighbor 192.0.2.1 password [redacted]',
  ],
  ['password s3cr3t', 'password [redacted]'],
  ['enable password 8 s3cr3t', 'enable password [redacted]'],
  ['key-string s3cr3t', 'key-string [redacted]'],
  ['ip ospf message-digest-key 1 md5 s3cr3t', 'ip ospf message-digest-key 1 md5 [redacted]'],
  ['no neighbor 192.0.2.1 password', 'no neighbor 192.0.2.1 password'],
  ['neighbor 192.0.2.1 remote-as 64496', 'neighbor 192.0.2.1 remote-as 64496'],
])('%j is shown as %j', (line, shown) => {
  expect(withoutPassword(line)).toBe(shown);
});
