import { closeSync, constants, fstatSync, openSync, readSync, statSync, type BigIntStats } from 'node:fs';

/** What a file looked like when it was read. Equal stamps do not prove equal contents: see {@link FileStamp.fresh}. */
export interface FileStamp {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedNs: bigint;
  /**
   * The file was modified so shortly before it was read that a later write could carry the same time: the kernel's
   * clock for files ticks every 1 to 10 ms. An equal stamp then proves nothing.
   */
  readonly fresh: boolean;
}

export type FileRead =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly stamp: FileStamp }
  | { readonly kind: 'missing' }
  /** Being written: what was read may be neither the old nor the new content. Read it again. */
  | { readonly kind: 'changing' }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Times a file is read when it changes meanwhile, before the caller is asked to come again. */
const ATTEMPTS = 3;
const FRESH_NS = 50_000_000n;

/**
 * Reads a regular file whole, so that all bytes are of one moment as far as size and time of modification can tell.
 * Synchronous on purpose: a small file takes some 30 us, the round trip through libuv's threads ten times that.
 */
export function readFile(path: string, maxBytes: number): FileRead {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const read = readOnce(path, maxBytes);
      if (read.kind !== 'changing') return read;
    }
    return { kind: 'changing' };
  } catch (error) {
    return failureOf(error);
  }
}

/** True when a stat alone shows that the file is as it was read. */
export function isUnchanged(path: string, stamp: FileStamp): boolean {
  if (stamp.fresh) return false;
  const stats = statIfThere(path);
  return stats !== undefined && isSame(stats, stamp);
}

/** Undefined when there is nothing, or nothing that we may see. */
export function statIfThere(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function readOnce(path: string, maxBytes: number): FileRead {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = fstatSync(descriptor, { bigint: true });
    if (!before.isFile())
      return { kind: 'unreadable', message: 'not a regular file: must be a file of YAML or JSON' };
    if (before.size > BigInt(maxBytes)) {
      const message = `file of ${before.size.toString()} bytes: must have at most ${maxBytes} bytes`;
      return { kind: 'unreadable', message };
    }
    const bytes = readBytes(descriptor, Number(before.size));
    const after = fstatSync(descriptor, { bigint: true });
    const stamp = stampOf(after);
    if (!isSame(before, stamp) || BigInt(bytes.length) !== after.size) return { kind: 'changing' };
    return { kind: 'bytes', bytes, stamp };
  } finally {
    closeSync(descriptor);
  }
}

/** One byte more than the size is asked for: a longer answer shows that the file has grown. */
function readBytes(descriptor: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

function stampOf(stats: BigIntStats): FileStamp {
  const { dev: device, ino: inode, size, mtimeNs: modifiedNs } = stats;
  const age = BigInt(Date.now()) * 1_000_000n - modifiedNs;
  return { device, inode, size, modifiedNs, fresh: age < FRESH_NS };
}

function isSame(stats: BigIntStats, stamp: FileStamp): boolean {
  return (
    stats.size === stamp.size &&
    stats.mtimeNs === stamp.modifiedNs &&
    stats.ino === stamp.inode &&
    stats.dev === stamp.device
  );
}

function failureOf(error: unknown): FileRead {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return { kind: 'missing' };
  return { kind: 'unreadable', message: `cannot be read: ${error.message}` };
}
