import { createServer, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * The service behind the lab's virtual addresses, on every address of the node, IPv4 and IPv6. Each answer closes its
 * connection, so that a client's next request is a new flow and may hash to another node.
 *
 * - `GET /`: the node's name and a newline.
 * - `GET /bytes/N`: N bytes.
 * - `PUT /` or `POST /`: how many bytes came, and a newline, once all have come.
 *
 * Usage: node vip-server.ts PORT
 */
const CHUNK = Buffer.alloc(16_384, 'x');

const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  process.stderr.write(`vip-server: port ${String(process.argv[2])}: must be a number from 1 to 65535\n`);
  process.exit(2);
}

createServer((request, response) => {
  if (request.method === 'PUT' || request.method === 'POST') {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      answer(response, `${String(bytes)}\n`);
    });
    return;
  }
  const bytes = /^\/bytes\/(\d{1,12})$/.exec(request.url ?? '')?.[1];
  if (bytes === undefined) answer(response, `${hostname()}\n`);
  else void stream(response, Number(bytes));
}).listen(port);

function answer(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(text);
}

async function stream(response: ServerResponse, bytes: number): Promise<void> {
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
    connection: 'close',
  });
  try {
    await pipeline(Readable.from(chunks(bytes)), response);
  } catch (error) {
    process.stderr.write(`vip-server: /bytes/${String(bytes)}: ${String(error)}\n`); // the client went away
  }
}

function* chunks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length)
    yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
}
