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

/** `840 ms`, `12.3 s`, `4 min 5 s`, `3 h`, `2 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10} s`;
  const [minutes, hours, days] = [Math.floor(ms / 60_000), Math.floor(ms / 3_600_000), Math.floor(ms / 86_400_000)];
  if (hours === 0) return two(minutes, 'min', Math.floor(ms / 1_000) % 60, 's');
  if (days === 0) return two(hours, 'h', minutes % 60, 'min');
  return two(days, 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
