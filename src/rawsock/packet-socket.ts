import { RawSocketError, interfaceText, rawSocketError, type InterfaceRef } from './error.ts';
import {
  ARP_FILTER,
  ETHERTYPE_ALL,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  ND_FILTER,
  filterWords,
  type BpfInstruction,
} from './filter.ts';
import { nativeAddon, type NativeAddon, type NativeHandle, type PacketSocketStats } from './native.ts';

export interface PacketSocketOptions {
  /** Name or number of an interface in the network namespace of this process. With both, the number counts. */
  readonly interfaceName?: string;
  readonly interfaceIndex?: number;
  /** What is received: ARP, or Neighbor Solicitations and Advertisements, or what a program of the caller's accepts. */
  readonly filter: 'arp' | 'nd' | readonly BpfInstruction[];
  /**
   * Called with at least one and at most 64 whole Ethernet frames, without frame check sequence. They lie in memory that
   * the next batch overwrites: what is to be kept must be copied before this returns. Frames that this host sent, that are
   * of another VLAN or for another host are never among them. What it throws is an uncaught exception.
   */
  readonly onFrames: (frames: readonly Uint8Array[]) => void;
  /**
   * Called once if the socket ends without `close()`: `ENETDOWN` when the interface goes down, `ENODEV` when it is gone by
   * then. An interface that is removed goes down first.
   */
  readonly onClosed: (error: RawSocketError) => void;
  /** Room for frames that wait to be read; 1 MiB unless given. Without CAP_NET_ADMIN at most net.core.rmem_max. */
  readonly receiveBufferBytes?: number;
}

const RECEIVE_BUFFER_BYTES = 2 ** 20;

const FILTERS = {
  arp: { etherType: ETHERTYPE_ARP, program: ARP_FILTER },
  nd: { etherType: ETHERTYPE_IPV6, program: ND_FILTER },
} as const;

/** After these the kernel receives nothing more on the socket. */
const INTERFACE_LOST: ReadonlySet<string> = new Set(['ENETDOWN', 'ENODEV', 'ENXIO']);

/**
 * Frames of one interface, to and from the wire. It keeps the process running until it is closed.
 * @throws RawSocketError, already when the interface is down
 */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  return new PacketSocket(options);
}

export class PacketSocket implements Disposable {
  readonly #addon: NativeAddon;
  readonly #handle: NativeHandle;
  readonly #interface: InterfaceRef;
  readonly #onFrames: (frames: readonly Uint8Array[]) => void;
  readonly #onClosed: (error: RawSocketError) => void;
  readonly #lengths: Uint32Array;
  readonly #memory: ArrayBuffer;
  readonly #slotBytes: number;
  /** The last frame of each slot: nearly all are of one length, and then the view can be used again. */
  readonly #views: Uint8Array[];
  #isOpen = true;

  constructor(options: PacketSocketOptions) {
    this.#addon = nativeAddon();
    this.#onFrames = options.onFrames;
    this.#onClosed = options.onClosed;
    const { interfaceName: name, interfaceIndex: index } = options;
    const { etherType, program } =
      typeof options.filter === 'string'
        ? FILTERS[options.filter]
        : { etherType: ETHERTYPE_ALL, program: options.filter };
    this.#interface = { name, index };
    try {
      const number = index ?? this.#addon.interfaceIndex(name ?? '');
      const opened = this.#addon.open(
        number,
        etherType,
        filterWords(program),
        options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES,
        (slots) => {
          this.#take(slots);
        },
        (error) => {
          this.#end(error, 'go on receiving');
        },
      );
      this.#interface = { name, index: number };
      this.#handle = opened.handle;
      this.#memory = opened.memory;
      this.#slotBytes = opened.slotBytes;
      this.#lengths = new Uint32Array(opened.memory, 0, opened.slots);
      this.#views = Array.from({ length: opened.slots }, () => new Uint8Array());
    } catch (error) {
      throw rawSocketError(this.#interface, 'open a packet socket', error);
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends one whole Ethernet frame. @throws RawSocketError when the kernel does not take it */
  send(frame: Uint8Array): void {
    this.#use('send a frame', () => {
      this.#addon.send(this.#handle, frame);
    });
  }

  /** Sends frames in their order, up to 64 with one system call. @throws RawSocketError whose `sent` says how many went */
  sendMany(frames: readonly Uint8Array[]): void {
    this.#use(`send ${frames.length} frames`, () => {
      this.#addon.sendMany(this.#handle, frames);
    });
  }

  /** Replaces the program that was given at the start; no frame is judged by neither. */
  setFilter(program: readonly BpfInstruction[]): void {
    this.#use('change the filter', () => {
      this.#addon.setFilter(this.#handle, filterWords(program));
    });
  }

  /** Has the interface receive what is sent to a multicast MAC address of 6 bytes. Ends with the socket. */
  join(mac: Uint8Array): void {
    this.#use(`join ${macText(mac)}`, () => {
      this.#addon.membership(this.#handle, mac, true);
    });
  }

  /** Ends one {@link join}; an address that was joined twice is left when this was called twice. */
  leave(mac: Uint8Array): void {
    this.#use(`leave ${macText(mac)}`, () => {
      this.#addon.membership(this.#handle, mac, false);
    });
  }

  /** Also after the socket was closed. */
  stats(): PacketSocketStats {
    return this.#addon.stats(this.#handle);
  }

  /**
   * No function is called any more once this returns; the kernel is done with the socket and its memberships some
   * milliseconds later. A second time does nothing.
   */
  close(): void {
    this.#isOpen = false;
    this.#addon.close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(slots: number): void {
    const frames: Uint8Array[] = [];
    for (let slot = 0; slot < slots; slot += 1) {
      const length = this.#lengths[slot] ?? 0;
      if (length === 0) continue;
      let view = this.#views[slot];
      if (view?.length !== length) {
        const at = this.#lengths.byteLength + slot * this.#slotBytes;
        view = new Uint8Array(this.#memory, at, length);
        this.#views[slot] = view;
      }
      frames.push(view);
    }
    this.#onFrames(frames);
  }

  #use(doing: string, action: () => void): void {
    if (!this.#isOpen) {
      throw new RawSocketError(
        'ERR_SOCKET_CLOSED',
        `${interfaceText(this.#interface)}: could not ${doing}: the packet socket is closed`,
      );
    }
    try {
      action();
    } catch (cause) {
      const error = rawSocketError(this.#interface, doing, cause);
      // Whoever hears of it from the socket first takes it away, so that the event loop would not hear of it.
      if (INTERFACE_LOST.has(error.code))
        setImmediate(() => {
          this.#end(cause, doing);
        });
      throw error;
    }
  }

  #end(cause: unknown, doing: string): void {
    if (!this.#isOpen) return;
    this.close();
    this.#onClosed(rawSocketError(this.#interface, doing, this.#isGone() ? goneError(cause) : cause));
  }

  #isGone(): boolean {
    try {
      this.#addon.interfaceName(this.#interface.index ?? 0);
      return false;
    } catch {
      return true; // it has no name any more
    }
  }
}

function goneError(cause: unknown): Error {
  return Object.assign(new Error('the interface is gone', { cause }), { code: 'ENODEV' });
}

function macText(mac: Uint8Array): string {
  return Array.from(mac.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
