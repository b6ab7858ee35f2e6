/** Ends a wait for what does not come. It measures no speed, so a machine that is thirty times as busy does not reach it. */
export const PATIENCE_MS = 300_000;
