import { parseIp, type IpAddress } from '../../core/ip.ts';
import {
  announcedTable,
  decodeFrame,
  ipv6Key,
  ipOfKey,
  linkLocalOf,
  parseMac,
  solicitedNodeGroup,
  verdictFor,
  type AnnouncedTable,
  type DropReason,
  type HeardClaim,
  type Link,
  type MacAddress,
  type TableAddress,
} from '../../l2/index.ts';
import {
  openIcmp6Socket,
  openPacketSocket,
  RawSocketError,
  type Icmp6Socket,
  type PacketSocket,
} from '../../rawsock/index.ts';
import { createCompany, type Company } from './company.ts';
import { unseenFramesOf, type UnseenFrames } from './unseen-frames.ts';

const ALL_NODES = parseIp('ff02::1');
/** Of a whole frame: an Ethernet and an IPv6 header go before the message. */
const ICMP_AT = 54;

export interface PortEvents {
  /** Frames have come and are about to be judged by the table: the last moment to set it right. */
  readonly onFrames: () => void;
  readonly onHeard: (link: string, heard: HeardClaim) => void;
  /** One request for this address came in, and was answered or not. */
  readonly onRequest: (ip: IpAddress, isAnswered: boolean) => void;
  readonly onDrop: (link: string, reason: DropReason) => void;
  readonly onSendFailure: (link: string, error: RawSocketError) => void;
  /** The sockets have ended by themselves: the interface went down or away. */
  readonly onClosed: (link: string, error: RawSocketError) => void;
}

/**
 * One interface's sockets. It answers by its table and passes on what it hears; what stands in the table is decided
 * elsewhere.
 */
export class Port {
  readonly link: Link;
  readonly mac: MacAddress;
  /** What answers for IPv6 come from; without it there is no Neighbor Discovery. */
  readonly linkLocal: IpAddress | undefined;
  readonly #events: PortEvents;
  readonly #nodeMacs: readonly MacAddress[];
  readonly #arp: PacketSocket;
  readonly #nd: PacketSocket | undefined;
  readonly #icmp6: Icmp6Socket | undefined;
  readonly #joined = new Map<string, IpAddress>();
  #table: AnnouncedTable;
  readonly #company = createCompany();
  readonly #unseen: (() => UnseenFrames)[] = [];

  /** @throws RawSocketError */
  constructor(link: Link, nodeMacs: readonly MacAddress[], events: PortEvents) {
    const mac = parseMac(link.mac);
    if (mac === undefined)
      throw new RawSocketError('EINVAL', `${link.name}: ${link.mac} is no Ethernet address`);
    this.link = link;
    this.mac = mac;
    this.linkLocal = linkLocalOf(link);
    this.#events = events;
    this.#nodeMacs = nodeMacs;
    this.#table = announcedTable({ mac, nodeMacs, linkLocal: this.linkLocal, addresses: [] });
    const open = (filter: 'arp' | 'nd'): PacketSocket => {
      const socket: PacketSocket = openPacketSocket({
        interfaceName: link.name,
        interfaceIndex: link.index,
        filter,
        onFrames: (frames) => {
          this.#take(socket, frames);
        },
        onClosed: (error) => {
          this.close();
          events.onClosed(link.name, error);
        },
      });
      this.#unseen.push(unseenFramesOf(socket));
      return socket;
    };
    this.#arp = open('arp');
    try {
      if (this.linkLocal) {
        this.#nd = open('nd');
        this.#icmp6 = openIcmp6Socket({ interfaceName: link.name, interfaceIndex: link.index });
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#arp.isOpen;
  }

  /** Who else is on the LAN, as far as it has been heard. */
  get company(): Pick<Company, 'heardAt' | 'hosts'> {
    return this.#company;
  }

  /** Frames that were lost or set aside before they could be judged, since this was last asked; also after the end. */
  unseen(): UnseenFrames {
    return this.#unseen.flatMap((more) => more());
  }

  /** Answers for these addresses and listens for those from now on. */
  setAddresses(addresses: readonly TableAddress[]): void {
    const { mac, linkLocal } = this;
    this.#table = announcedTable({
      mac,
      nodeMacs: this.#nodeMacs,
      linkLocal,
      addresses,
      previous: this.#table,
    });
    this.#joinGroupsOf(addresses);
  }

  /** Sends whole frames. What the kernel does not take is said and not sent again: each has a successor that is. */
  send(frames: readonly Uint8Array[]): void {
    if (frames.length === 0) return;
    this.#try(() => {
      this.#arp.sendMany(frames);
    });
  }

  /** Tells all nodes of the link of an IPv6 address: the frame that {@link encodeNa} makes, without its headers. */
  sendToAllNodes(frame: Uint8Array): void {
    if (!ALL_NODES || !this.#icmp6?.isOpen) return;
    this.#icmp6.send(ALL_NODES, frame.subarray(ICMP_AT)).catch((error: unknown) => {
      if (!(error instanceof RawSocketError)) throw error;
      if (error.code !== 'ERR_SOCKET_CLOSED') this.#events.onSendFailure(this.link.name, error);
    });
  }

  close(): void {
    this.#arp.close();
    this.#nd?.close();
    this.#icmp6?.close();
    this.#joined.clear();
  }

  #take(socket: PacketSocket, frames: readonly Uint8Array[]): void {
    const answers: Uint8Array[] = [];
    const { onFrames, onRequest, onDrop, onHeard } = this.#events;
    onFrames();
    const now = performance.now();
    for (const frame of frames) {
      const decoded = decodeFrame(frame);
      const verdict = verdictFor(decoded, this.#table);
      this.#company.hear(decoded, verdict, now);
      if (verdict.kind === 'answer') {
        answers.push(verdict.frame);
        onRequest(verdict.ip, true);
        if (verdict.heard) onHeard(this.link.name, verdict.heard);
      } else if (verdict.kind === 'heard') {
        onHeard(this.link.name, verdict);
      } else {
        onDrop(this.link.name, verdict.reason);
      }
    }
    if (answers.length === 0) return;
    this.#try(() => {
      socket.sendMany(answers);
    });
  }

  #try(send: () => void): void {
    try {
      send();
    } catch (error) {
      if (!(error instanceof RawSocketError)) throw error;
      this.#events.onSendFailure(this.link.name, error);
    }
  }

  /** A solicitation goes to the group of its target: switches that snoop on MLD bring it only to members (RFC 4861 section 7.2.1). */
  #joinGroupsOf(addresses: readonly TableAddress[]): void {
    const socket = this.#icmp6;
    if (!socket?.isOpen) return;
    const wanted = new Map(
      addresses.flatMap(({ ip, use }) => {
        if (ip.family !== 'ipv6' || use !== 'here') return [];
        const group = ipOfKey(solicitedNodeGroup(ipv6Key(ip)));
        return [[group.text, group]];
      }),
    );
    for (const [text, group] of this.#joined) {
      if (wanted.has(text)) continue;
      this.#joined.delete(text);
      this.#try(() => {
        socket.leave(group);
      });
    }
    for (const [text, group] of wanted) {
      if (this.#joined.has(text)) continue;
      this.#try(() => {
        socket.join(group);
        this.#joined.set(text, group);
      });
    }
  }
}
