const BAR_CELLS = 10;

/** The progress of an attempt on a line: `▰▰▰▰▱▱▱▱▱▱ 40 % · loading rows`. */
export function progressText({ fraction, text }: { readonly fraction: number | null; readonly text: string | null }): string {
  const parts = [...(fraction === null ? [] : [`${barOf(fraction)} ${percentOf(fraction)} %`]), ...(text === null ? [] : [text])];
  return parts.join(' · ');
}

/** 100 only once all is done. */
function percentOf(fraction: number): number {
  return Math.floor(fraction * 100);
}

function barOf(fraction: number): string {
  const full = Math.floor(fraction * BAR_CELLS);
  return '▰'.repeat(full) + '▱'.repeat(BAR_CELLS - full);
}
