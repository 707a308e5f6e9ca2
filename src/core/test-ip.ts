/** For tests. */
import { parseIp, type IpAddress } from './ip.ts';

/** @throws when the text is no address */
export function ip(text: string): IpAddress {
  const parsed = parseIp(text);
  if (!parsed) throw new Error(`${text} is no address`);
  return parsed;
}
