/**
 * Gives a function that asks for `action` to be run in a turn of its own, once for however many requests came before it:
 * what happens in one turn of the event loop is dealt with together, after all of it has been delivered. Nothing is run
 * after `signal` is aborted.
 *
 * @param action told when the first of the requests came, by `performance.now()`
 */
export function oncePerTurn(action: (askedAtMs: number) => void, signal: AbortSignal): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    const askedAtMs = performance.now();
    setImmediate(() => {
      isDue = false;
      if (!signal.aborted) action(askedAtMs);
    });
  };
}
