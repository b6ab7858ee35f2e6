import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Drawing } from './svg.ts';

/** Twice as fine as a screen of old, until the bitmap would be as large as that. */
const SCALE = 2;
const MAX_SIDE = 32_000;
const MAX_PIXELS = 48_000_000;
const FONT = 'DejaVu Sans';

/** With fonts of our own: text in a font that is not there would be left out without a word. */
export async function toPng({ svg, width, height }: Drawing): Promise<Uint8Array> {
  const { renderAsync } = await import('@resvg/resvg-js');
  const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const zoom = Math.min(SCALE, MAX_SIDE / Math.max(width, height), Math.sqrt(MAX_PIXELS / (width * height)));
  const image = await renderAsync(svg, {
    fitTo: { mode: 'zoom', value: zoom },
    font: {
      loadSystemFonts: false,
      fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(fonts, file)),
      defaultFontFamily: FONT,
    },
  });
  return image.asPng();
}
