/** Text that somebody else wrote, for one line of a picture: nothing in it can break the line or turn its direction. */
export function oneLine(text: string, maxChars: number): string {
  const spaced = text.toWellFormed().replace(/\s+/gu, ' ').trim();
  const shown = spaced.replace(UNSEEN, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
  const characters = [...shown];
  return characters.length <= maxChars ? shown : `${characters.slice(0, maxChars - 1).join('')}…`;
}

/** Control characters, and those that make text run the other way whatever its letters are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not stay.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;
