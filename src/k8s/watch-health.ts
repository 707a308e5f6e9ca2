/** How long a broken watch may be mended before what it told counts as old. */
const BROKEN_MS = 3_000;
/** What was missed comes within this time after a watch is open again. */
const SETTLE_MS = 300;
/** What was written comes back through the watch within this time, or the watch is dead. */
const ECHO_MS = 3_000;
/** When it has not come back after this time, it may be that nothing comes. */
const DOUBT_MS = 500;

/**
 * Whether what was read through watches is what stands there now. A watch whose connection died without a word looks
 * like one on which nothing happens: only that what was written does not come back gives it away.
 *
 * Times are milliseconds of one monotonic clock.
 */
export class WatchHealth {
  readonly #unlisted: Set<string>;
  /** Since when a watch is broken, and since when it is open again. */
  readonly #broken = new Map<string, { readonly since: number; readonly openAt?: number }>();
  #unwritableSince: number | undefined;
  #awaited: { readonly text: string; readonly since: number } | undefined;

  #heard = '';

  constructor(watches: readonly string[]) {
    this.#unlisted = new Set(watches);
  }

  listed(watch: string): void {
    this.#unlisted.delete(watch);
  }

  get isListed(): boolean {
    return this.#unlisted.size === 0;
  }

  watching(watch: string, isWatching: boolean, now: number): void {
    const since = this.#broken.get(watch)?.since;
    if (!isWatching) this.#broken.set(watch, { since: since ?? now });
    else if (since !== undefined) this.#broken.set(watch, { since, openAt: now });
  }

  /** @param text what was written and will come back; undefined: it could not be written */
  wrote(text: string | undefined, now: number): void {
    if (text === undefined) {
      this.#unwritableSince ??= now;
      return;
    }
    this.#unwritableSince = undefined;
    // A watch can be faster than the answer to the write.
    if (text <= this.#heard) return;
    // The first that did not come back says since when.
    this.#awaited = { text, since: this.#awaited?.since ?? now };
  }

  /** @param text what came back; a text that sorts after it was written later */
  heard(text: string): void {
    if (text > this.#heard) this.#heard = text;
    if (this.#awaited && text >= this.#awaited.text) this.#awaited = undefined;
  }

  /** A watch that has to be begun anew: what was written is not heard of. */
  isDeaf(now: number): boolean {
    return this.#awaited !== undefined && now - this.#awaited.since > ECHO_MS;
  }

  /** The watches are begun anew: until they are open, what they told is old. */
  listenAgain(watches: readonly string[], now: number): void {
    if (this.#awaited) this.#awaited = { ...this.#awaited, since: now };
    for (const watch of watches) this.#broken.set(watch, { since: now - ECHO_MS - BROKEN_MS });
  }

  /** Whether something may have happened that was not told: nobody is to be judged by silence then. */
  isInDoubt(now: number): boolean {
    const isEchoLate = this.#awaited !== undefined && now - this.#awaited.since > DOUBT_MS;
    return isEchoLate || this.#unwritableSince !== undefined || this.#broken.size > 0;
  }

  isFresh(now: number): boolean {
    if (!this.isListed || this.isDeaf(now)) return false;
    if (this.#unwritableSince !== undefined && now - this.#unwritableSince > BROKEN_MS) return false;
    let isFresh = true;
    for (const [watch, { since, openAt }] of this.#broken) {
      const wasLong = (openAt ?? now) - since > BROKEN_MS;
      if (openAt !== undefined && (!wasLong || now - openAt >= SETTLE_MS)) this.#broken.delete(watch);
      else if (wasLong) isFresh = false;
    }
    return isFresh;
  }
}
