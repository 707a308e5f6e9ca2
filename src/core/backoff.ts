export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * The wait before the nth retry in a row (n from 1), in milliseconds: doubled each time up to `mostMs`, and up to a
 * quarter shorter, so that many who failed at the same moment do not try again at the same moment.
 *
 * @param random from 0 to below 1
 */
export function backoffMs(attempt: number, { firstMs, mostMs }: Backoff, random: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), mostMs) * (1 - random / 4);
}
