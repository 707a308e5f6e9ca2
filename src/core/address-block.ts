import { parseIp, parsePrefix, prefixesOfRange, type IpAddress, type Prefix } from './ip.ts';
import { quote } from './quote.ts';

export type AddressBlockParse =
  | { readonly ok: true; readonly prefixes: readonly Prefix[] }
  /** What is wrong, with the text, and what would be right. */
  | { readonly ok: false; readonly message: string };

const EXAMPLES = '"198.51.100.0/24" or "198.51.100.10-198.51.100.20"';

/**
 * Parses one item of an IPAddressPool: a CIDR, or a range `start-end` with blanks allowed around the dash.
 * @returns the fewest prefixes that cover it, ascending; one for a CIDR, whose host bits are cleared
 */
export function parseAddressBlock(text: string): AddressBlockParse {
  return text.includes('-') ? parseRange(text) : parseCidr(text);
}

function parseCidr(text: string): AddressBlockParse {
  const prefix = parsePrefix(text);
  if (prefix) return { ok: true, prefixes: [prefix] };
  const single = parseIp(text.trim());
  if (single) {
    const length = single.family === 'ipv4' ? '32' : '128';
    return fault(text, `a single address is written "${single.text}/${length}"`);
  }
  const [address = '', length = ''] = text.split('/');
  const ip = parseIp(address);
  if (text !== text.trim()) return fault(text, 'must not have blanks around it');
  if (ip && address.includes(':') && ip.family === 'ipv4') {
    return fault(text, `an IPv4-mapped block is written as IPv4, for example "${ip.text}/32"`);
  }
  if (ip && /^\d+$/.test(length)) {
    return fault(text, `the prefix length must be 0 to ${ip.family === 'ipv4' ? '32' : '128'}`);
  }
  return fault(text, `must be a CIDR or a range, such as ${EXAMPLES}`);
}

function parseRange(text: string): AddressBlockParse {
  const parts = text.split('-').map((part) => part.trim());
  const [startText = '', endText = ''] = parts;
  const start = parseIp(startText);
  const end = parseIp(endText);
  if (parts.length !== 2 || !start || !end) {
    const which =
      parts.length !== 2
        ? ''
        : start
          ? `${quote(endText)} is not an IP address; `
          : `${quote(startText)} is not an IP address; `;
    return fault(text, `${which}must be a CIDR or a range, such as ${EXAMPLES}`);
  }
  if (start.family !== end.family) return fault(text, 'both ends must be of one address family');
  if (start.value > end.value) return fault(text, `must start at its lower end: "${reversed(start, end)}"`);
  return { ok: true, prefixes: prefixesOfRange(start, end) };
}

function reversed(start: IpAddress, end: IpAddress): string {
  return `${end.text}-${start.text}`;
}

function fault(text: string, right: string): AddressBlockParse {
  return { ok: false, message: `${quote(text)}: ${right}` };
}
