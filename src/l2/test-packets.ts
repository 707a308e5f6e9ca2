import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../test/packets');

/** Names of the files in test/packets, without their ending. */
export function packetNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.hex'))
    .map((name) => name.slice(0, -'.hex'.length))
    .sort();
}

/** The bytes of test/packets/NAME.hex: what stands before `#` on each line. */
export function packet(name: string): Uint8Array {
  const text = readFileSync(join(FOLDER, `${name}.hex`), 'utf8');
  const digits = text.replaceAll(/#.*$/gm, '').replaceAll(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})+$/.test(digits)) throw new Error(`${name}.hex: not hexadecimal`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** The frame as Ethernet would carry it: at least 60 bytes, zeros behind. */
export function padded(frame: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.max(frame.length, 60));
  whole.set(frame);
  return whole;
}

/** A copy with other bytes from `at` on. */
export function edited(frame: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = new Uint8Array(frame);
  copy.set(bytes, at);
  return copy;
}
