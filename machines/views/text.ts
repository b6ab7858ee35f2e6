/** Shows untrusted text on one line of a diagram: it cannot break the line or change the direction of writing. */
export function oneLine(text: string, maxChars: number): string {
  const spaced = text.toWellFormed().replace(/\s+/gu, ' ').trim();
  const shown = spaced.replace(UNSEEN, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
  const characters = [...shown];
  return characters.length <= maxChars ? shown : `${characters.slice(0, maxChars - 1).join('')}…`;
}

/** Control characters, and characters that change the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must be replaced.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;
