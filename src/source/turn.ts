/**
 * Gives a function that asks for `action` to be run in a turn of its own, once for however many requests came before it:
 * what happens in one turn of the event loop is dealt with together, after all of it has been delivered. Nothing is run
 * after `signal` is aborted.
 */
export function oncePerTurn(action: () => void, signal: AbortSignal): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      if (!signal.aborted) action();
    });
  };
}
