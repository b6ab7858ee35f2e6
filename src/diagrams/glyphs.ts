import type { ResvgRenderOptions } from '@resvg/resvg-js';

/** Side of the square that a character is tried in, in pixels. */
const CELL = 24;
/** What fonts have without being asked, and what writes nothing of its own. */
const ALWAYS_AVAILABLE = /[\p{ASCII}\u00a0-\u024f\p{M}\p{Z}\p{Cc}\p{Cf}]/u;
/** For private use, in the last plane: what it looks like is how any other looks that no font has. */
const UNASSIGNED = '\u{10fffd}';

/** The characters of a text that none of the fonts has, each once. Found out by drawing them: the renderer does not say. */
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
