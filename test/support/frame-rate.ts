import type { Page } from 'playwright-core';

/** Frames per second of a page and, in the same time, of an empty page of the same browser. */
export interface FrameRate {
  readonly drawn: number;
  readonly empty: number;
}

const COUNT = `{
  window.frames = [];
  const draw = (at) => { window.frames.push(at); requestAnimationFrame(draw); };
  requestAnimationFrame(draw);
}`;

/** Counts the frames that a page draws from now on until the returned function is called. */
export async function countFrames(page: Page): Promise<() => Promise<FrameRate>> {
  const context = await page.context().browser()?.newContext();
  if (context === undefined) throw new Error('the page has no browser');
  const empty = await context.newPage();
  await Promise.all([page.evaluate(COUNT), empty.evaluate(COUNT)]);
  return async () => {
    const rates = await Promise.all([perSecond(page), perSecond(empty)]);
    await context.close();
    return { drawn: rates[0], empty: rates[1] };
  };
}

/** The least rate: every third frame of an empty page, 20 a second on a machine that draws 60, less on one that is busy. */
export const leastRate = ({ empty }: FrameRate): number => empty / 3;

async function perSecond(page: Page): Promise<number> {
  const frames = (await page.evaluate('window.frames')) as number[];
  return (1_000 * (frames.length - 1)) / ((frames.at(-1) ?? 0) - (frames[0] ?? 0));
}
