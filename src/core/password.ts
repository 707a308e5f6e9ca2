/** bgpd's limit on a TCP-MD5 password (PEER_PASSWORD_MAXLEN, which is Linux's TCP_MD5SIG_MAXKEYLEN), in bytes. */
const PASSWORD_MAX_BYTES = 80;

/**
 * A session password that FRR takes unchanged. The vty splits a line at blanks and knows no quoting, so a password
 * with one cannot be given to it; every other printable character arrives as it is (seen with FRR 8.4 and 10.3).
 * The answer never holds any part of the password.
 */
export function passwordFault(password: string): string | undefined {
  if (password === '') return 'must not be empty';
  if (/[\p{C}\p{Z}]/u.test(password))
    return 'must not hold blanks, line breaks or control characters: FRR cannot take them';
  const bytes = Buffer.byteLength(password);
  return bytes <= PASSWORD_MAX_BYTES
    ? undefined
    : `is ${String(bytes)} bytes long; must have at most ${String(PASSWORD_MAX_BYTES)}, the limit of TCP-MD5 in Linux`;
}
