/** The part of the npm package raw-socket 1.8 that is used here; it has no types of its own. */
declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';

  /** `error` is followed by `close`. Errors carry strerror's text and no code. */
  interface Socket extends EventEmitter {
    close(): this;
    /** No `message` any more; the socket does not keep the process running then, unless it waits to send. */
    pauseRecv(): this;
    /** Sends when the socket can take it. After `close()` it would open the socket again. */
    send(
      buffer: Buffer,
      offset: number,
      length: number,
      address: string,
      afterSend: (error: Error | null, bytes: number) => void,
    ): this;
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
  }

  interface RawSocketModule {
    createSocket(options: { readonly protocol: number; readonly addressFamily: number }): Socket;
    readonly AddressFamily: { readonly IPv6: number };
    readonly Protocol: { readonly ICMPv6: number };
    readonly SocketLevel: { readonly SOL_SOCKET: number; readonly IPPROTO_IPV6: number };
    readonly SocketOption: { readonly SO_BINDTODEVICE: number; readonly IPV6_UNICAST_HOPS: number };
  }
}
