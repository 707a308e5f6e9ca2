/**
 * Cuts a YAML stream at its document markers. A line that begins with `---` or `...`, then a blank or the line's
 * end, is a marker wherever it stands, even inside a block scalar (YAML 1.2.2 section 9.1.2, production
 * `c-forbidden`), so no parsing is needed to find it.
 * @returns where each piece begins, ascending from 0, then the text's length: piece `i` goes from `[i]` to `[i + 1]`.
 *   The pieces joined are the text. A piece may hold no document (comments alone).
 */
export function splitDocuments(text: string): readonly number[] {
  const opening = new MarkerCursor(text, '---');
  const closing = new MarkerCursor(text, '...');
  const starts = [0];
  let start = 0;
  let searchFrom = 0;
  while (searchFrom < text.length) {
    const opens = opening.firstFrom(searchFrom);
    const closes = closing.firstFrom(searchFrom);
    const at = Math.min(opens, closes);
    if (at === text.length) break;
    searchFrom = lineEnd(text, at);
    if (closes < opens) {
      start = searchFrom;
    } else {
      // `---` opens the very piece we are in when it is its first line or follows directives (`%YAML 1.1`).
      if (opens === start || hasDirectivesOnly(text.slice(start, opens))) continue;
      start = opens;
    }
    starts.push(start);
  }
  if (starts.at(-1) !== text.length) starts.push(text.length);
  return starts;
}

/** Finds one kind of marker, and remembers the one ahead so that no part of the text is searched twice. */
class MarkerCursor {
  readonly #text: string;
  readonly #marker: string;
  #next = -1;

  constructor(text: string, marker: string) {
    this.#text = text;
    this.#marker = marker;
  }

  /** Offset of the first marker at or after `from`, which is the start of a line; the text's length without one. */
  firstFrom(from: number): number {
    if (this.#next < from) this.#next = this.#find(from);
    return this.#next;
  }

  #find(from: number): number {
    const text = this.#text;
    if (text.startsWith(this.#marker, from) && endsMarker(text, from + 3)) return from;
    const line = `\n${this.#marker}`;
    for (let at = text.indexOf(line, from); at !== -1; at = text.indexOf(line, at + 1)) {
      if (endsMarker(text, at + 4)) return at + 1;
    }
    return text.length;
  }
}

function endsMarker(text: string, at: number): boolean {
  return at >= text.length || ' \t\r\n'.includes(text.charAt(at));
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : at + 1;
}

/** Whether a `---` marker stands here. */
export function opensDocument(text: string, at: number): boolean {
  return text.startsWith('---', at) && endsMarker(text, at + 3) && (at === 0 || text.charAt(at - 1) === '\n');
}

/** Whether the last line that is neither blank nor a comment is a directive: what follows belongs to the same piece. */
export function endsWithDirective(text: string): boolean {
  for (let end = text.length; end > 0;) {
    const start = text.lastIndexOf('\n', end - 2) + 1;
    const line = text.slice(start, end);
    if (!/^[ \t\r]*(?:#|$)/.test(line.replace(/\n$/, ''))) return line.startsWith('%');
    end = start;
  }
  return false;
}

/** True for directives and whatever comments and blank lines are among them. */
function hasDirectivesOnly(text: string): boolean {
  const first = text.charAt(0);
  if (first !== '%' && first !== '#' && first.trim() !== '') return false;
  const lines = text.split('\n').filter((line) => !/^[ \t\r]*(?:#|$)/.test(line));
  return lines.length > 0 && lines.every((line) => line.startsWith('%'));
}

/** True when a piece holds nothing but blank lines, comments and bare markers: no document. */
export function isBlankPiece(text: string): boolean {
  return /^(?:(?:---|\.\.\.)?[ \t]*(?:#[^\n]*)?(?:\r?\n|$))*$/.test(text);
}
