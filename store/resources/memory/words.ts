import { stemmer } from 'stemmer';

/** The words of a text that are indexed, at most: later ones are not found. */
export const MAX_WORDS = 10_000;
/** Longest word, in characters. */
const MAX_WORD = 64;

/** Written without spaces between words: pairs of neighbouring characters are indexed instead. */
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const RUN = new RegExp(`[${UNSPACED}][${UNSPACED}\\p{M}ー]*|[\\p{L}\\p{N}][\\p{L}\\p{N}\\p{M}]*`, 'gu');
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u');
const UNSPACED_AT = new RegExp(`[${UNSPACED}]`, 'u');
const ASCII = /^[a-z]+$/;
const MARKS = /\p{M}+/gu;

/** Words of questions that say nothing of what is asked for. */
const FUNCTION_WORDS = new Set(
  (
    'a about an and any are as at be but by can could did do does for from had has have how i if in into is it its me my of on or our ' +
    'should so than that the their them then there these they this those to us was we were what when where which who why will with would you your'
  ).split(' '),
);

/**
 * The words of a text in one form: without case, accents and English endings (Porter). Stored terms were made by this function, so that a change
 * of it needs a migration that makes them again.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [run] of plain(text).matchAll(RUN)) {
    for (const word of wordsOfRun(run)) {
      if (words.length === MAX_WORDS) return words;
      words.push(ASCII.test(word) ? stemmer(word) : word);
    }
  }
  return words;
}

/** The words to look for, each once: function words only if there are no others. */
export function wordsOfQuery(query: string, max: number): readonly string[] {
  const words = plain(query).slice(0, 16 * 1024);
  const all = [...new Set(wordsOf(words))];
  const functionWords = new Set([...words.matchAll(RUN)].flatMap(([run]) => (FUNCTION_WORDS.has(run) ? [stemmer(run)] : [])));
  const telling = all.filter((word) => !functionWords.has(word));
  return (telling.length > 0 ? telling : all).slice(0, max);
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(MARKS, '').toLowerCase();
}

/** A letter of a script without spaces may follow one of another script directly. */
function* wordsOfRun(run: string): Generator<string> {
  if (IS_UNSPACED.test(run)) {
    const characters = [...run];
    if (characters.length === 1) yield run;
    for (let i = 1; i < characters.length; i += 1) yield `${characters[i - 1]}${characters[i]}`;
    return;
  }
  const at = run.search(UNSPACED_AT);
  if (at < 0) yield run.slice(0, MAX_WORD);
  else {
    yield run.slice(0, Math.min(at, MAX_WORD));
    yield* wordsOfRun(run.slice(at));
  }
}
