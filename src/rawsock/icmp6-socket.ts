import { endianness } from 'node:os';
import type { RawSocketModule, Socket } from 'raw-socket';
import type { IpAddress } from '../core/ip.ts';
import { RawSocketError, rawSocketError } from './error.ts';
import { loadAddon, nativeAddon } from './native.ts';

export interface Icmp6SocketOptions {
  /** In the network namespace of this process. */
  readonly interfaceName: string;
  /** The kernel's number for it; looked up unless given. */
  readonly interfaceIndex?: number;
}

/** Linux's linux/in6.h and linux/icmpv6.h: what raw-socket has no names for. */
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
const IPPROTO_ICMPV6 = 58;
const ICMPV6_FILTER = 1;

/** RFC 4861 section 4.4: what did not come from this link has a smaller one. */
const HOP_LIMIT = 255;

/**
 * The kernel takes the memory for memberships from what net.core.optmem_max allows one socket; 20 KiB before Linux 6.8,
 * which is 365 of them.
 */
const GROUPS_PER_SOCKET = 256;

/** Messages that wait for the kernel; more than two announcements of 1,000 addresses. */
const MAX_WAITING = 4_096;

/** A group, how often it was joined, and the socket that is its member. */
interface Membership {
  readonly socket: Socket;
  count: number;
}

interface Waiting {
  readonly reject: (error: RawSocketError) => void;
}

/**
 * Sends ICMPv6 messages on one interface and is a member of multicast groups there, so that the interface receives what is
 * sent to them and switches that snoop on MLD pass it on. It receives nothing itself: that is for a packet socket, which
 * sees the Hop Limit and the link-layer addresses.
 * @throws RawSocketError
 */
export function openIcmp6Socket(options: Icmp6SocketOptions): Icmp6Socket {
  return new Icmp6Socket(options);
}

export class Icmp6Socket implements Disposable {
  readonly #package: RawSocketModule;
  readonly #name: string;
  #index: number;
  /** The first one sends; more of them only for more memberships. */
  readonly #sockets: Socket[] = [];
  /** By the group's text. */
  readonly #groups = new Map<string, Membership>();
  readonly #waiting = new Set<Waiting>();
  #isOpen = true;

  constructor({ interfaceName, interfaceIndex }: Icmp6SocketOptions) {
    this.#package = loadAddon('raw-socket') as RawSocketModule;
    this.#name = interfaceName;
    this.#index = interfaceIndex ?? 0;
    this.#do('open an ICMPv6 socket', () => {
      this.#index = interfaceIndex ?? nativeAddon().interfaceIndex(interfaceName);
      this.#addSocket();
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Becomes a member of a multicast group. Each call wants a {@link leave}. @throws RawSocketError */
  join(group: IpAddress): void {
    this.#do(`join ${group.text}`, () => {
      const membership = this.#groups.get(group.text);
      if (membership === undefined) {
        const socket = this.#socketWithRoom();
        this.#setGroup(socket, IPV6_JOIN_GROUP, group);
        this.#groups.set(group.text, { socket, count: 1 });
      } else {
        membership.count += 1;
      }
    });
  }

  /** Takes one {@link join} back. A group that was not joined is fine. @throws RawSocketError */
  leave(group: IpAddress): void {
    this.#do(`leave ${group.text}`, () => {
      const membership = this.#groups.get(group.text);
      if (membership === undefined) return;
      membership.count -= 1;
      if (membership.count > 0) return;
      this.#groups.delete(group.text);
      this.#setGroup(membership.socket, IPV6_LEAVE_GROUP, group);
    });
  }

  /**
   * Sends one message, from the ICMPv6 type on, with Hop Limit 255. The kernel writes the checksum and chooses the source
   * address: for a link-local destination the link-local one, if the interface has one that is not tentative.
   * @returns when the kernel has it; rejects with a RawSocketError
   */
  send(destination: IpAddress, message: Uint8Array): Promise<void> {
    const doing = `send to ${destination.text}`;
    const [socket] = this.#sockets;
    if (!this.#isOpen || socket === undefined) return Promise.reject(this.#closedError(doing));
    if (this.#waiting.size >= MAX_WAITING) {
      const cause = Object.assign(new Error(`${MAX_WAITING} messages wait already`), { code: 'ENOBUFS' });
      return Promise.reject(rawSocketError({ name: this.#name }, doing, cause));
    }
    return new Promise((resolve, reject) => {
      const waiting = { reject };
      this.#waiting.add(waiting);
      // A copy: it goes out later.
      const bytes = Buffer.from(message);
      socket.send(bytes, 0, bytes.length, destination.text, (error) => {
        this.#waiting.delete(waiting);
        if (error === null) resolve();
        else reject(rawSocketError({ name: this.#name }, doing, withCode(error)));
      });
    });
  }

  /** Ends all memberships; what waits to be sent is not sent. A second time does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#groups.clear();
    for (const { reject } of this.#waiting) reject(this.#closedError('send'));
    this.#waiting.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #addSocket(): Socket {
    const { AddressFamily, Protocol, SocketLevel, SocketOption } = this.#package;
    const socket = this.#package.createSocket({
      protocol: Protocol.ICMPv6,
      addressFamily: AddressFamily.IPv6,
    });
    try {
      // What came before the filter is never read.
      socket.pauseRecv();
      socket.on('error', () => {
        this.close();
      });
      // A set bit blocks its type.
      socket.setOption(IPPROTO_ICMPV6, ICMPV6_FILTER, Buffer.alloc(32, 0xff), 32);
      const name = Buffer.from(`${this.#name}\0`);
      socket.setOption(SocketLevel.SOL_SOCKET, SocketOption.SO_BINDTODEVICE, name, name.length);
      for (const [option, value] of [
        [IPV6_MULTICAST_IF, this.#index],
        [IPV6_MULTICAST_HOPS, HOP_LIMIT],
        [SocketOption.IPV6_UNICAST_HOPS, HOP_LIMIT],
        [IPV6_MULTICAST_LOOP, 0],
      ] as const) {
        socket.setOption(SocketLevel.IPPROTO_IPV6, option, value);
      }
    } catch (error) {
      socket.close();
      throw error;
    }
    this.#sockets.push(socket);
    return socket;
  }

  #socketWithRoom(): Socket {
    const used = new Map(this.#sockets.map((socket) => [socket, 0]));
    for (const { socket } of this.#groups.values()) used.set(socket, (used.get(socket) ?? 0) + 1);
    for (const [socket, count] of used) if (count < GROUPS_PER_SOCKET) return socket;
    return this.#addSocket();
  }

  /** With struct ipv6_mreq: the address, then the number of the interface as an int of this machine. */
  #setGroup(socket: Socket, option: number, { value }: IpAddress): void {
    const request = Buffer.alloc(20);
    request.writeBigUInt64BE(value >> 64n, 0);
    request.writeBigUInt64BE(value & 0xffff_ffff_ffff_ffffn, 8);
    if (endianness() === 'LE') request.writeInt32LE(this.#index, 16);
    else request.writeInt32BE(this.#index, 16);
    socket.setOption(this.#package.SocketLevel.IPPROTO_IPV6, option, request, request.length);
  }

  #do(doing: string, action: () => void): void {
    if (!this.#isOpen) throw this.#closedError(doing);
    try {
      action();
    } catch (cause) {
      throw rawSocketError({ name: this.#name, index: this.#index }, doing, withCode(cause));
    }
  }

  #closedError(doing: string): RawSocketError {
    return new RawSocketError(
      'ERR_SOCKET_CLOSED',
      `${this.#name}: could not ${doing}: the ICMPv6 socket is closed`,
    );
  }
}

/** strerror(3) of glibc, which is all that raw-socket gives; Node's texts are others. */
const CODES: ReadonlyMap<string, string> = new Map([
  ['Operation not permitted', 'EPERM'],
  ['Permission denied', 'EACCES'],
  ['No such device', 'ENODEV'],
  ['No such device or address', 'ENXIO'],
  ['Network is down', 'ENETDOWN'],
  ['Network is unreachable', 'ENETUNREACH'],
  ['Cannot assign requested address', 'EADDRNOTAVAIL'],
  ['Address already in use', 'EADDRINUSE'],
  ['Address family not supported by protocol', 'EAFNOSUPPORT'],
  ['Resource temporarily unavailable', 'EAGAIN'],
  ['No buffer space available', 'ENOBUFS'],
  ['Cannot allocate memory', 'ENOMEM'],
  ['Message too long', 'EMSGSIZE'],
  ['Bad address', 'EFAULT'],
  ['Invalid argument', 'EINVAL'],
  ['Too many open files', 'EMFILE'],
]);

function withCode(cause: unknown): unknown {
  if (!(cause instanceof Error) || 'code' in cause) return cause;
  const code = CODES.get(cause.message);
  return code === undefined ? cause : Object.assign(new Error(cause.message, { cause }), { code });
}
