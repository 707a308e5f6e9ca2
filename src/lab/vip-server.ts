import { createServer } from 'node:http';
import { hostname } from 'node:os';

/**
 * The service behind the lab's virtual addresses: answers every HTTP request with the node's name and a newline, on
 * every address of the node, IPv4 and IPv6. Each answer closes its connection, so that a client's next request is a new
 * flow and may hash to another node.
 *
 * Usage: node vip-server.ts PORT
 */
const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  process.stderr.write(`vip-server: port ${String(process.argv[2])}: must be a number from 1 to 65535\n`);
  process.exit(2);
}

createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(`${hostname()}\n`);
}).listen(port);
