const LINE_FEED = 0x0a;

/** Puts lines together again that came in pieces; a piece may end anywhere, also inside a character. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest: Buffer[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Calls `onLine` for each line that this piece completes; empty lines are left out. */
  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      this.#rest.push(chunk.subarray(from, at));
      const line = Buffer.concat(this.#rest).toString();
      this.#rest = [];
      from = at + 1;
      if (line !== '') this.#onLine(line);
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from));
  }
}
