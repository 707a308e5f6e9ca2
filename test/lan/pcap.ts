/** A packet as it was recorded. */
export interface RecordedPacket {
  /** Milliseconds since the epoch, to the microsecond or better, by the kernel's clock. */
  readonly atMs: number;
  /** Bytes on the wire, of which `bytes` may hold only the first. */
  readonly wireLength: number;
  readonly bytes: Uint8Array;
}

/** Magic number of a file with microseconds and with nanoseconds (pcap-savefile(5)), in the byte order of the writer. */
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const LINKTYPE_ETHERNET = 1;

/**
 * Reads the savefile form of libpcap (pcap-savefile(5)) from a stream, in whatever pieces it comes.
 * @throws from `take` when it is something else, or of a link that is not Ethernet
 */
export class PcapReader {
  readonly #onPacket: (packet: RecordedPacket) => void;
  #rest: Uint8Array = new Uint8Array(0);
  #format: { readonly littleEndian: boolean; readonly perMs: number } | undefined;

  constructor(onPacket: (packet: RecordedPacket) => void) {
    this.#onPacket = onPacket;
  }

  take(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    if (this.#format === undefined) {
      if (bytes.length < FILE_HEADER_BYTES) {
        this.#rest = bytes;
        return;
      }
      this.#format = formatOf(view);
      at = FILE_HEADER_BYTES;
    }
    const { littleEndian, perMs } = this.#format;
    while (at + PACKET_HEADER_BYTES <= bytes.length) {
      const held = view.getUint32(at + 8, littleEndian);
      const next = at + PACKET_HEADER_BYTES + held;
      if (next > bytes.length) break;
      this.#onPacket({
        atMs: view.getUint32(at, littleEndian) * 1000 + view.getUint32(at + 4, littleEndian) / perMs,
        wireLength: view.getUint32(at + 12, littleEndian),
        bytes: bytes.subarray(at + PACKET_HEADER_BYTES, next),
      });
      at = next;
    }
    this.#rest = bytes.subarray(at);
  }
}

function formatOf(view: DataView): { readonly littleEndian: boolean; readonly perMs: number } {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic !== MICROSECONDS && magic !== NANOSECONDS) continue;
    const link = view.getUint32(20, littleEndian) & 0xffff;
    if (link !== LINKTYPE_ETHERNET) throw new Error(`the recording is of link type ${link}, not Ethernet`);
    return { littleEndian, perMs: magic === NANOSECONDS ? 1_000_000 : 1_000 };
  }
  throw new Error('the recording is not in the form of libpcap');
}
