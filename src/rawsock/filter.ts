/**
 * Programs of the classic BPF (bpf(4), the kernel's Documentation/networking/filter.rst) that decide in the kernel which
 * frames wake this process. A socket sees a frame from its Ethernet header on, its VLAN tag taken out.
 */

/** One instruction, as `tcpdump -d` prints it: loads and compares go to the accumulator. */
export interface BpfInstruction {
  readonly code: number;
  /** Instructions to skip when a comparison holds, and when it does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
/** Every protocol, for a filter of the caller's own. */
export const ETHERTYPE_ALL = 0x0003;

/** linux/bpf_common.h. */
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** More than any frame has: all of it. */
const WHOLE_FRAME = 0x40000;

/** Offsets in an Ethernet frame. */
const ETHERTYPE_AT = 12;
const IPV6_NEXT_HEADER_AT = 20;
const ICMPV6_TYPE_AT = 54;

const IPPROTO_ICMPV6 = 58;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;

const load = (code: number, at: number): BpfInstruction => ({ code, jt: 0, jf: 0, k: at });
const skip = (k: number, jt: number, jf: number): BpfInstruction => ({ code: JUMP_IF_EQUAL, jt, jf, k });
const give = (k: number): BpfInstruction => ({ code: RETURN, jt: 0, jf: 0, k });

/** Every ARP frame, also a malformed one: that is for the decoder to say and count. */
export const ARP_FILTER: readonly BpfInstruction[] = [
  load(LOAD_HALF, ETHERTYPE_AT),
  skip(ETHERTYPE_ARP, 0, 1),
  give(WHOLE_FRAME),
  give(0),
];

/**
 * Neighbor Solicitations and Advertisements whose ICMPv6 header follows the IPv6 header at once. A node that puts an
 * extension header between them is not heard; RFC 6980 forbids the one that matters, fragmentation. Hop Limit, checksum
 * and all else are for the decoder.
 */
export const ND_FILTER: readonly BpfInstruction[] = [
  load(LOAD_HALF, ETHERTYPE_AT),
  skip(ETHERTYPE_IPV6, 0, 6),
  load(LOAD_BYTE, IPV6_NEXT_HEADER_AT),
  skip(IPPROTO_ICMPV6, 0, 4),
  load(LOAD_BYTE, ICMPV6_TYPE_AT),
  skip(NEIGHBOR_SOLICITATION, 1, 0),
  skip(NEIGHBOR_ADVERTISEMENT, 0, 1),
  give(WHOLE_FRAME),
  give(0),
];

/** The form that the addon takes: four numbers for each instruction. */
export function filterWords(program: readonly BpfInstruction[]): Uint32Array {
  return Uint32Array.from(program.flatMap(({ code, jt, jf, k }) => [code, jt, jf, k]));
}
