const LONGEST = 80;

/**
 * A user's text as it may stand in a message: in double quotes, on one line, bounded, and with everything escaped that
 * a terminal or a log would not show as it is.
 */
export function quote(text: string): string {
  const bounded = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
  return JSON.stringify(bounded).replaceAll(/(?! )[\p{C}\p{Z}]/gu, escaped);
}

function escaped(character: string): string {
  let text = '';
  for (let index = 0; index < character.length; index += 1) {
    text += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return text;
}
