import type { ResvgRenderOptions } from '@resvg/resvg-js';

/** Side of the square in which a character is test-drawn, in pixels. */
const CELL = 24;
/** Characters that every font has, or that have no glyph of their own. */
const ALWAYS_AVAILABLE = /[\p{ASCII}\u00a0-\u024f\p{M}\p{Z}\p{Cc}\p{Cf}]/u;
/** A private-use character that no font has: it is drawn as any missing character is. */
const UNASSIGNED = '\u{10fffd}';

/** The distinct characters of a text that no font has. Found by drawing them, since the renderer does not report them. */
export async function missingGlyphs(text: string, font: ResvgRenderOptions['font']): Promise<readonly string[]> {
  const asked = [...new Set(text)].filter((character) => !ALWAYS_AVAILABLE.test(character));
  if (asked.length === 0) return [];
  const { renderAsync } = await import('@resvg/resvg-js');
  const tried = [UNASSIGNED, ...asked].map((character, i) => `<text x="4" y="${i * CELL + 16}">${character}</text>`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${CELL}" height="${tried.length * CELL}" font-size="10">${tried.join('')}</svg>`;
  const { pixels } = await renderAsync(svg, font === undefined ? {} : { font });
  const cellOf = (i: number): Buffer => pixels.subarray(i * CELL * CELL * 4, (i + 1) * CELL * CELL * 4);
  const blank = Buffer.alloc(CELL * CELL * 4);
  return asked.filter((_, i) => [cellOf(0), blank].some((nothing) => nothing.equals(cellOf(i + 1))));
}
