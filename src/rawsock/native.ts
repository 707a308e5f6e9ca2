import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { RawSocketError } from './error.ts';

/** A socket of the addon; nothing but its functions can do anything with it. */
export interface NativeHandle {
  readonly __native: never;
}

/** What src/rawsock/addon/addon.c exports. All throw errors with a `code`; none waits. */
export interface NativeAddon {
  readonly interfaceNumber: number;
  /**
   * `onBatch` is called with the number of slots that were filled; `onError` once, when the socket has closed itself.
   * `memory` is first the length of the frame in each slot, as uint32 and 0 for none, then the slots.
   */
  readonly open: (
    index: number,
    etherType: number,
    filter: Uint32Array,
    receiveBufferBytes: number,
    onBatch: (slots: number) => void,
    onError: (error: Error) => void,
  ) => {
    readonly handle: NativeHandle;
    readonly memory: ArrayBuffer;
    readonly slots: number;
    readonly slotBytes: number;
  };
  readonly send: (handle: NativeHandle, frame: Uint8Array) => void;
  readonly sendMany: (handle: NativeHandle, frames: readonly Uint8Array[]) => void;
  readonly setFilter: (handle: NativeHandle, filter: Uint32Array) => void;
  readonly membership: (handle: NativeHandle, mac: Uint8Array, isJoin: boolean) => void;
  readonly stats: (handle: NativeHandle) => PacketSocketStats;
  readonly close: (handle: NativeHandle) => void;
  readonly interfaceIndex: (name: string) => number;
  readonly interfaceName: (index: number) => string;
}

/** Counts of frames since the socket was opened. */
export interface PacketSocketStats {
  /** Past the filter, whatever became of them. */
  readonly received: number;
  /** Lost, because they came faster than they were read. */
  readonly dropped: number;
  /** Not delivered: of another VLAN than the interface's own. */
  readonly tagged: number;
  /** Not delivered: for another MAC address, heard because the interface is promiscuous. */
  readonly otherHost: number;
  /** Not delivered: larger than 2,048 bytes. */
  readonly oversized: number;
}

/** addon.c has the same number. */
const INTERFACE_NUMBER = 1;

/** In the checkout and in the image alike: the bundle lies as deep as this file. */
const ADDON = fileURLToPath(new URL('../../build/rawsock.node', import.meta.url));

const requireHere = createRequire(import.meta.url);

let loaded: NativeAddon | undefined;

/** The addon, loaded at the first call. */
export function nativeAddon(): NativeAddon {
  loaded ??= checkedAddon(loadAddon(ADDON) as NativeAddon);
  return loaded;
}

function checkedAddon(addon: NativeAddon): NativeAddon {
  if (addon.interfaceNumber === INTERFACE_NUMBER) return addon;
  throw new RawSocketError(
    'ERR_ADDON_MISSING',
    `${ADDON} was built from other sources than these: build it again with \`npm run setup\``,
  );
}

/**
 * Loads an addon, or a package with one.
 * @param what path of a file, or name of a package
 */
export function loadAddon(what: string): unknown {
  try {
    return requireHere(what);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : String(cause);
    throw new RawSocketError(
      'ERR_ADDON_MISSING',
      `${what} cannot be loaded (${reason}): build it with \`npm run setup\` in the checkout; it needs a C++ compiler`,
      { cause },
    );
  }
}
