/**
 * A BGP speaker (RFC 4271) that gives any host name it likes: `node hostile-peer.ts ADDRESS PORT ASN HOSTNAME`. It answers
 * each connection with OPEN and KEEPALIVE and reads nothing, until it is ended.
 */
import { createServer } from 'node:net';

const [address = '', port = '', asn = '', hostName = ''] = process.argv.slice(2);

const OPEN = 1;
const KEEPALIVE = 4;

/** RFC 4271 section 4.1: marker, length, type. */
function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(19, 0xff);
  head.writeUInt16BE(19 + body.length, 16);
  head.writeUInt8(type, 18);
  return Buffer.concat([head, body]);
}

/** RFC 5492: each capability in an optional parameter of its own. */
function capability(code: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([2, value.length + 2, code, value.length]), value]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function open(): Buffer {
  const name = Buffer.from(hostName);
  const capabilities = Buffer.concat([
    capability(1, Buffer.from([0, 1, 0, 1])), // multiprotocol, IPv4 unicast (RFC 4760)
    capability(65, uint32(Number(asn))), // four-octet ASN (RFC 6793)
    capability(73, Buffer.concat([Buffer.from([name.length]), name, Buffer.from([0])])), // host name, no domain name
  ]);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt8(4, 0); // version
  fixed.writeUInt16BE(Number(asn), 1);
  fixed.writeUInt16BE(180, 3); // Hold Time
  Buffer.from(address.split('.').map(Number)).copy(fixed, 5); // BGP Identifier
  fixed.writeUInt8(capabilities.length, 9);
  return message(OPEN, Buffer.concat([fixed, capabilities]));
}

createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.write(Buffer.concat([open(), message(KEEPALIVE, Buffer.alloc(0))]));
}).listen(Number(port), address);
