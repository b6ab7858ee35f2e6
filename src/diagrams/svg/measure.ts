const NARROW = /[ijlI.,:;'|!()[\]{}ft/\\ -]/;
const WIDE = /[mwMW@%—…]/;
const UPPER = /[\p{Lu}_&#<>=+~0-9]/u;
/** Characters that are wider than high in some fonts. */
const EMOJI = /\p{Emoji_Presentation}/u;
/** CJK, Hangul, kana, full-width forms and emoji-like symbols. */
const FULL_WIDTH =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{3fffd}]/u;

/** Estimates the width of a line in the unit of `size`; rather too wide than too narrow for any sans-serif font. */
export function widthOf(line: string, size: number, bold = false): number {
  let ems = 0;
  for (const character of line) {
    if (/\p{M}/u.test(character)) continue;
    ems += EMOJI.test(character)
      ? 1.3
      : FULL_WIDTH.test(character)
        ? 1.1
        : WIDE.test(character)
          ? 0.98
          : NARROW.test(character)
            ? 0.38
            : UPPER.test(character)
              ? 0.72
              : 0.62;
  }
  return ems * size * (bold ? 1.1 : 1);
}

/** Wraps a text into at most `maxLines` lines of about `maxChars`, at spaces where possible. */
export function wrapped(text: string, maxChars: number, maxLines: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => chunks(each, maxChars))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if ([...longer].length <= maxChars) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  lines.push(line);
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines - 1), `${[...(lines[maxLines - 1] ?? '')].slice(0, maxChars - 1).join('')}…`];
}

function chunks(word: string, size: number): string[] {
  const characters = [...word];
  const found: string[] = [];
  for (let i = 0; i < characters.length; i += size) found.push(characters.slice(i, i + size).join(''));
  return found.length === 0 ? [''] : found;
}
