import type { ResvgRenderOptions } from '@resvg/resvg-js';
import { dependencyFile } from '../../store/package-files.ts';
import { missingGlyphs } from './glyphs.ts';
import type { Drawing } from './svg/index.ts';

/** Scale of a bitmap for high-density screens, reduced where the limits below would be exceeded. */
const SCALE = 2;
const MAX_SIDE = 32_000;
const MAX_PIXELS = 48_000_000;
const FONT = 'DejaVu Sans';

export interface Bitmap {
  readonly png: Uint8Array;
  /** Characters that no available font has; they are drawn as boxes. */
  readonly unreadable: readonly string[];
}

/**
 * Draws a bitmap with bundled fonts: the renderer omits text whose font is missing, and the result is the same on every machine. The fonts of
 * this machine are loaded, which takes a while, only if the bundled ones lack a character.
 */
export async function toPng({ svg, width, height }: Drawing): Promise<Bitmap> {
  const { renderAsync } = await import('@resvg/resvg-js');
  const text = [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, line = '']) => line).join('');
  const missing = await missingGlyphs(text, fontOptions('ours'));
  const font = fontOptions(missing.length === 0 ? 'ours' : 'ours and those of this machine');
  const zoom = Math.min(SCALE, MAX_SIDE / Math.max(width, height), Math.sqrt(MAX_PIXELS / (width * height)));
  const image = await renderAsync(svg, { fitTo: { mode: 'zoom', value: zoom }, font });
  return { png: image.asPng(), unreadable: missing.length === 0 ? [] : await missingGlyphs(missing.join(''), font) };
}

export function fontOptions(which: 'ours' | 'ours and those of this machine'): NonNullable<ResvgRenderOptions['font']> {
  return {
    loadSystemFonts: which !== 'ours',
    fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => dependencyFile(`dejavu-fonts-ttf/ttf/${file}`)),
    defaultFontFamily: FONT,
  };
}
