import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { openPacketSocket } from '../../src/rawsock/index.ts';
import { question } from './frames.ts';
import type { AskerOrder } from './asking.ts';

/**
 * Asks by broadcast who has an address, again and again, from the network namespace it runs in. It listens to nothing:
 * what is answered is seen by whoever records the LAN.
 *
 * Usage: node asker.ts INTERFACE, with one JSON order a line on standard input; the last one counts. Ends with its input.
 */
const interfaceName = process.argv[2] ?? '';
const own = await addressesOnceUp();
const ipv4 = own.find(({ family }) => family === 'IPv4');
const ipv6 = own.find(({ family, address }) => family === 'IPv6' && !address.startsWith('fe80:'));
const mac = own[0]?.mac;
if (mac === undefined) throw new Error(`${interfaceName} is no interface here that is up and has addresses`);

const socket = openPacketSocket({
  ...{ interfaceName, filter: 'arp' },
  onFrames: () => undefined,
  onClosed: (error) => {
    throw error;
  },
});

let timer: NodeJS.Timeout | undefined;
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { ips, intervalMs } = JSON.parse(line) as AskerOrder; // written by asking.ts
    const frames = ips.map((ip) => question({ mac, ip: addressFor(ip) }, ip));
    clearInterval(timer);
    const ask = (): void => {
      for (const frame of frames) socket.send(frame);
    };
    timer = frames.length === 0 ? undefined : setInterval(ask, intervalMs);
  })
  .on('close', () => {
    clearInterval(timer);
    socket.close();
  });
process.stdout.write(`ready ${mac}\n`);

/** An interface that has just been set up is not listed for some milliseconds. */
async function addressesOnceUp(): Promise<readonly NetworkInterfaceInfo[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = networkInterfaces()[interfaceName];
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [];
}

function addressFor(ip: string): string {
  const address = (ip.includes(':') ? ipv6 : ipv4)?.address;
  if (address === undefined) throw new Error(`${interfaceName} has no address to ask for ${ip} with`);
  return address;
}
