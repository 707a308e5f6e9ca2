/**
 * Sockets for layer 2: whole Ethernet frames of one interface (AF_PACKET, by an addon of our own in addon/), and ICMPv6
 * (by the package raw-socket). What is received was chosen by a filter in the kernel.
 *
 * Nothing is decided here: it neither reads what is in a frame nor answers one, and it opens nothing by itself.
 */
export { RawSocketError } from './error.ts';
export type { BpfInstruction } from './filter.ts';
export { openIcmp6Socket, type Icmp6Socket, type Icmp6SocketOptions } from './icmp6-socket.ts';
export type { PacketSocketStats } from './native.ts';
export { openPacketSocket, type PacketSocket, type PacketSocketOptions } from './packet-socket.ts';
