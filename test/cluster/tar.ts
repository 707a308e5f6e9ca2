/** A file of an archive; folders above it need no entries of their own. */
export interface TarEntry {
  /** Relative, at most 100 bytes. */
  readonly path: string;
  readonly content: { readonly bytes: Uint8Array } | { readonly linkTo: string } | 'folder';
  /** Permission bits; 0755 unless given. */
  readonly mode?: number;
}

const BLOCK = 512;
/** Field widths of the ustar header, in order (POSIX.1-2017, pax, "ustar Interchange Format"). */
const NAME_BYTES = 100;

/** A tar archive in ustar form: owned by root, at the beginning of time, so that equal input gives equal bytes. */
export function encodeTar(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const bytes =
      typeof entry.content === 'object' && 'bytes' in entry.content ? entry.content.bytes : undefined;
    parts.push(header(entry, bytes?.length ?? 0));
    if (bytes === undefined) continue;
    parts.push(bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK));
  }
  // "At the end of the archive file there shall be two 512-byte blocks filled with binary zeros."
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

function header({ path, content, mode = 0o755 }: TarEntry, size: number): Buffer {
  const link = typeof content === 'object' && 'linkTo' in content ? content.linkTo : '';
  for (const text of [path, link]) {
    if (Buffer.byteLength(text) > NAME_BYTES) {
      throw new Error(`tar entry ${text}: at most ${NAME_BYTES} bytes`);
    }
  }
  const type = content === 'folder' ? '5' : link === '' ? '0' : '2';
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108); // uid
  block.write(octal(0, 7), 116); // gid
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136); // mtime
  block.write(' '.repeat(8), 148); // the checksum's own field counts as blanks
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\0' + '00', 257);
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
