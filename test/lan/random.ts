/** Numbers from 0 to 1, the same for the same seed: a linear congruential generator over 48 bits (drand48(3)). */
export function randomFrom(seed: number): () => number {
  let state = (BigInt(seed) ^ 0x5deece66dn) & 0xffffffffffffn;
  return () => {
    state = (state * 0x5deece66dn + 11n) & 0xffffffffffffn;
    return Number(state >> 16n) / 2 ** 32;
  };
}
