/** A signal that is aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
export function endOnSignals(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      end.abort();
    });
  }
  return end.signal;
}
