/** Numbers that look random and are the same for the same seed (xorshift, Marsaglia 2003). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/**
 * Ethernet frames to everybody or to one station, of 14 to 1,514 bytes. Every second one says that it is ARP; in the others
 * the EtherType is random too, though never that one.
 */
export function randomFrames(options: {
  readonly seed: number;
  readonly count: number;
  /** Hex of 6 bytes. */
  readonly to: string;
}): Uint8Array[] {
  const next = randomNumbers(options.seed);
  const station = Buffer.from(options.to, 'hex');
  return Array.from({ length: options.count }, (_, index) => {
    const frame = new Uint8Array(14 + next(1_501));
    for (let at = 0; at < frame.length; at += 1) frame[at] = next(256);
    if (next(2) === 0) frame.fill(0xff, 0, 6);
    else frame.set(station, 0);
    // A source is never a group.
    frame[6] = frame[6]! & 0xfe;
    frame[12] = 0x08;
    frame[13] = index % 2 === 0 ? 0x06 : 0x40 + next(64);
    return frame;
  });
}
