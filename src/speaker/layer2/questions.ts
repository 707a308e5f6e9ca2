import type { IpAddress } from '../../core/ip.ts';
import { arpProbe, encodeNs, parseMac } from '../../l2/index.ts';
import type { Port } from './port.ts';

/** Asks everybody whether somebody has an address (RFC 5227 section 2.1.1; RFC 4862 section 5.4.2). */
export function probeFrames(port: Port, ip: IpAddress): readonly Uint8Array[] {
  return [ip.family === 'ipv4' ? arpProbe(ip, port.mac) : encodeNs({ sourceMac: port.mac, target: ip })];
}

/** Asks one station for an address that it should have, without telling anybody anything. */
export function askFrame(port: Port, ip: IpAddress, mac: string): readonly Uint8Array[] {
  const destination = parseMac(mac);
  if (destination === undefined) return [];
  if (ip.family === 'ipv4') return [arpProbe(ip, port.mac, destination)];
  const { linkLocal } = port;
  return linkLocal ? [encodeNs({ sourceMac: port.mac, sourceIp: linkLocal, target: ip, destination })] : [];
}
