/** A MAC address as text: six lower-case octets with colons, `00:00:5e:00:53:01`. Equal addresses have equal texts. */
export type MacAddress = string & { readonly __brand: 'MacAddress' };

/** A MAC address as the number of its 48 bits, which a double holds exactly: compared and looked up without a text. */
export type MacNumber = number & { readonly __brand: 'MacNumber' };

export const BROADCAST_MAC = 0xffffffffffff as MacNumber;
export const ZERO_MAC = 0 as MacNumber;

/** Above the low 40 bits: the first octet. */
const FIRST_OCTET = 2 ** 40;

/** Reads six octets with colons or dashes between them, in either case. */
export function parseMac(text: string): MacAddress | undefined {
  const isMac =
    /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text) || /^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$/i.test(text);
  return isMac ? (text.toLowerCase().replaceAll('-', ':') as MacAddress) : undefined;
}

export function macNumber(mac: MacAddress): MacNumber {
  return Number.parseInt(mac.replaceAll(':', ''), 16) as MacNumber;
}

export function macOfNumber(mac: MacNumber): MacAddress {
  const digits = mac.toString(16).padStart(12, '0');
  return digits.replaceAll(/(..)(?=.)/g, '$1:') as MacAddress;
}

/** @returns six bytes */
export function macToBytes(mac: MacAddress): Uint8Array {
  return Uint8Array.from(mac.split(':'), (octet) => Number.parseInt(octet, 16));
}

/** @returns undefined unless there are just six bytes */
export function macFromBytes(bytes: Uint8Array): MacAddress | undefined {
  if (bytes.length !== 6) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') as MacAddress;
}

/** The I/G bit of IEEE 802: a multicast group, or everybody. */
export function isGroupMac(mac: MacNumber): boolean {
  return (Math.floor(mac / FIRST_OCTET) & 1) === 1;
}

/** The address of one interface: neither a group nor all zeros, which stands for "not known". */
export function isStationMac(mac: MacNumber): boolean {
  return mac !== ZERO_MAC && !isGroupMac(mac);
}
