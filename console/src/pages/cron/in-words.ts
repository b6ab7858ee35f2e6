import { toString as wordsOf } from 'cronstrue';

const STYLE = { use24HourTimeFormat: true };

/** A cron expression in English, such as `At 02:30, only on Monday`; null for one that has no words. */
export function inWords(expression: string): string | null {
  try {
    return wordsOf(expression, STYLE);
  } catch {
    // The server, and `parseCron`, say what is wrong with an expression; this only has no words for it.
    return null;
  }
}
