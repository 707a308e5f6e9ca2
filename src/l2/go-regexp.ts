import { quote } from '../core/quote.ts';

export type GoRegExpParse =
  | { readonly ok: true; readonly pattern: RegExp }
  /** What is wrong, or which part cannot be taken over. */
  | { readonly ok: false; readonly message: string };

/** The classes of Go's syntax, as what stands between brackets. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

/** Escaped letters that mean the same in both. */
const SAME_ESCAPES = 'dDwWsSbBtnrfvx';

/** Escaped letters that JavaScript would take for the letter. Without flag m, `^` and `$` are the ends of the text. */
const OTHER_ESCAPES: Readonly<Record<string, string>> = { A: '^', z: '$', a: '\\x07' };

/**
 * Makes a regular expression in the syntax of Go (pkg.go.dev/regexp/syntax) one of JavaScript. What only Go has, and
 * JavaScript would silently take for something else, is rewritten or refused.
 */
export function parseGoRegExp(text: string): GoRegExpParse {
  const [, flags = '', body = text] = /^\(\?([is]+)\)(.*)$/s.exec(text) ?? [];
  let source = '';
  let at = 0;
  while (at < body.length) {
    const rest = body.slice(at);
    const piece = rest.startsWith('\\')
      ? escapeAt(rest)
      : rest.startsWith('[')
        ? classAt(rest)
        : rest.startsWith('(?P<')
          ? { length: 4, source: '(?<' }
          : { length: 1, source: rest.charAt(0) };
    if (piece === undefined) return { ok: false, message: `${quote(rest)}: is not understood here` };
    source += piece.source;
    at += piece.length;
  }
  try {
    return { ok: true, pattern: new RegExp(source, [...new Set(flags)].join('')) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const what = error.message.replace(/^Invalid regular expression: .*: /s, '');
    return { ok: false, message: `is not a regular expression (${what})` };
  }
}

interface Piece {
  /** Of Go's text. */
  readonly length: number;
  readonly source: string;
}

function escapeAt(rest: string): Piece | undefined {
  const letter = rest.charAt(1);
  if (letter === 'Q') {
    const end = rest.indexOf('\\E');
    const literal = end === -1 ? rest.slice(2) : rest.slice(2, end);
    const source = literal.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    return { length: end === -1 ? rest.length : end + 2, source };
  }
  const other = Object.hasOwn(OTHER_ESCAPES, letter) ? OTHER_ESCAPES[letter] : undefined;
  if (other !== undefined) return { length: 2, source: other };
  const isSame = letter !== '' && (SAME_ESCAPES.includes(letter) || /[^0-9A-Za-z]/.test(letter));
  return isSame && !rest.startsWith('\\x{') ? { length: 2, source: `\\${letter}` } : undefined;
}

/** From `[` to the `]` that ends it; a `]` that comes first is one of the characters. */
function classAt(rest: string): Piece | undefined {
  const start = /^\[\^?\]?/.exec(rest)?.[0] ?? '[';
  let source = start.endsWith(']') ? `${start.slice(0, -1)}\\]` : start;
  let at = start.length;
  while (at < rest.length) {
    const inner = rest.slice(at);
    if (inner.startsWith(']')) return { length: at + 1, source: `${source}]` };
    const named = /^\[:([a-z]+):\]/.exec(inner);
    // The ends of the text, of a word, and quotations stand for no character.
    const escaped = /^\\[^AzbBQ]/.test(inner) ? escapeAt(inner) : undefined;
    if (named) {
      const set = named[1] !== undefined && Object.hasOwn(CLASSES, named[1]) ? CLASSES[named[1]] : undefined;
      if (set === undefined) return undefined;
      source += set;
      at += named[0].length;
    } else if (inner.startsWith('\\')) {
      if (!escaped) return undefined;
      source += escaped.source;
      at += escaped.length;
    } else if (inner.startsWith('[:^')) {
      return undefined;
    } else {
      source += inner.charAt(0);
      at += 1;
    }
  }
  return undefined;
}
