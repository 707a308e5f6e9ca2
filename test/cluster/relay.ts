// Runs in a cluster's control-plane namespace: passes connections that are made outside of it on to the API server inside.
//
//   relay.ts HOST PORT
//
// The listening socket comes from the parent process. A socket stays in the namespace it was made in, whoever holds it, so
// that accepting there and dialling here joins the two without a link between them.
import { connect, type Server, type Socket } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);

process.once('message', (_message, server) => {
  (server as Server).on('connection', relay);
  process.send?.('listening', () => {
    process.disconnect();
  });
});

function relay(outside: Socket): void {
  const inside = connect({ host, port: Number(port), noDelay: true });
  outside.setNoDelay(true);
  outside.pipe(inside).pipe(outside);
  // Either end's failure is the other's: the client or the server hears of it as a closed connection.
  outside.on('error', () => inside.destroy());
  inside.on('error', () => outside.destroy());
  outside.on('close', () => inside.destroy());
  inside.on('close', () => outside.destroy());
}
