export type WordsParse =
  { readonly ok: true; readonly words: readonly string[] } | { readonly ok: false; readonly message: string };

/**
 * Splits a command line into words as containerlab does for `exec`: blanks separate words, single quotes keep
 * everything, double quotes keep everything but a backslash before `"` or `\`, a backslash outside quotes keeps the
 * next character. No shell reads the result: a pipe or a `;` is an ordinary character. containerlab expands
 * environment variables over the whole file first, so a dollar sign must be written `$$`; a single one is refused here
 * because its value would depend on who starts the lab.
 */
export function splitWords(line: string): WordsParse {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    const next = line[at + 1];
    if (char === '$') {
      if (next !== '$') {
        return {
          ok: false,
          message: 'a single $ starts an environment variable for containerlab; write $$ for a dollar sign',
        };
      }
      word += '$';
      started = true;
      at += 1;
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else if (char === '\\' && quote === '"' && (next === '"' || next === '\\')) {
        word += next;
        at += 1;
      } else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      started = true;
    } else if (char === '\\') {
      if (next === undefined) return { ok: false, message: 'ends with a backslash' };
      word += next;
      started = true;
      at += 1;
    } else if (/\s/.test(char)) {
      if (started) words.push(word);
      word = '';
      started = false;
    } else {
      word += char;
      started = true;
    }
  }
  if (quote !== undefined) return { ok: false, message: `has an unclosed ${quote}` };
  if (started) words.push(word);
  return words.length > 0 ? { ok: true, words } : { ok: false, message: 'is empty' };
}
