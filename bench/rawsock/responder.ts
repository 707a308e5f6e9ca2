/**
 * Answers ARP and Neighbor Discovery for addresses on one interface, with the product's own sockets, decoders and verdicts,
 * until its standard input ends. Prints `ready`, then what it did and used as JSON.
 */
import { parseIp, type IpAddress } from '../../src/core/ip.ts';
import { announcedTable, decodeFrame, parseMac, verdictFor } from '../../src/l2/index.ts';
import { openPacketSocket } from '../../src/rawsock/index.ts';

export interface ResponderReport {
  readonly answered: number;
  readonly cpuSeconds: number;
  readonly batches: number;
  readonly dropped: number;
}

const [interfaceName = '', macText = '', linkLocalText = '', ...texts] = process.argv.slice(2);
const mac = parseMac(macText);
const linkLocal = parseIp(linkLocalText);
const ips = texts.map(parseIp).filter((ip): ip is IpAddress => ip !== undefined);
if (mac === undefined || linkLocal === undefined || ips.length !== texts.length) {
  throw new Error(`not an interface, a MAC address and IP addresses: ${process.argv.slice(2).join(' ')}`);
}
const table = announcedTable({ mac, linkLocal, addresses: ips.map((ip) => ({ ip, use: 'here' as const })) });

let answered = 0;
let batches = 0;
const sockets = (['arp', 'nd'] as const).map((filter) => {
  const socket = openPacketSocket({
    interfaceName,
    filter,
    onFrames: (frames) => {
      batches += 1;
      const answers: Uint8Array[] = [];
      for (const frame of frames) {
        const verdict = verdictFor(decodeFrame(frame), table);
        if (verdict.kind === 'answer') answers.push(verdict.frame);
      }
      answered += answers.length;
      const [first] = answers;
      if (answers.length > 1) socket.sendMany(answers);
      else if (first !== undefined) socket.send(first);
    },
    onClosed: (error) => {
      throw error;
    },
  });
  return socket;
});

process.stdin.resume().on('end', () => {
  const { user, system } = process.cpuUsage();
  const dropped = sockets.reduce((sum, socket) => sum + socket.stats().dropped, 0);
  for (const socket of sockets) socket.close();
  const report: ResponderReport = { answered, cpuSeconds: (user + system) / 1e6, batches, dropped };
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
process.stdout.write('ready\n');
