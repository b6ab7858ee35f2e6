import { describe, expect, it } from 'vitest';
import { MAX_TERMS, type TermCount, termsOf, termsToRead } from '../../../store/resources/memory/terms.ts';
import { MAX_WORDS, wordsOf, wordsOfQuery } from '../../../store/resources/memory/words.ts';

describe('the words of a text', () => {
  it.each([
    ['Refunds REFUNDED refund', ['refund', 'refund', 'refund']],
    ['The café’s crêpes', ['the', 'cafe', 's', 'crepe']],
    ['v2.0-beta_3', ['v2', '0', 'beta', '3']],
    ['Straße naïve', ['straße', 'naiv']],
    ['Привет, мир', ['привет', 'мир']],
    ['東京都', ['東京', '京都']],
    ['木', ['木']],
    ['AI東京', ['ai', '東京']],
    ['ｆｕｌｌ ｗｉｄｔｈ', ['full', 'width']],
    ['…!? — ""', []],
  ])('%s', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('are limited in number and length', () => {
    expect(wordsOf('word '.repeat(MAX_WORDS + 5))).toHaveLength(MAX_WORDS);
    expect(wordsOf('x'.repeat(1_000))).toEqual(['x'.repeat(64)]);
  });

  it('are made in time that grows with the text', () => {
    for (const part of ['a', 'é', '東', 'a東', '__', '\u0301', 'ﷺ'])
      expect(wordsOf(part.repeat(60_000)).length).toBeLessThanOrEqual(MAX_WORDS);
  });
});

describe('the words of a query', () => {
  it('are those that tell something, each once', () => {
    expect(wordsOfQuery('What is the policy for refunds, and how is a refund paid?', 9)).toEqual(['polici', 'refund', 'paid']);
    expect(wordsOfQuery('to be or not to be', 9)).toEqual(['not']);
    expect(wordsOfQuery('Who is it?', 9)).toEqual(['who', 'is', 'it']);
    expect(wordsOfQuery('a b c d', 2)).toEqual(['b', 'c']);
  });
});

describe('the terms by which an item is found', () => {
  it('are each word once, with how often it occurs if that is more than once: exactly up to 4, then in steps', () => {
    const words = (count: number) => Array.from({ length: count }, () => 'w');
    const times = [1, 2, 3, 4, 5, 6, 7, 11, 12, 31, 32, 9_000].map((count) => termsOf(40, ['a', ...words(count)]).slice(2));
    const steps = [2, 3, 4, 4, 6, 6, 8, 12, 16, 32, 32].map((count) => [`14_w_${count}`]);
    expect(times).toEqual([[], ...steps]);
    expect(termsOf(40, ['b', 'a', 'b'])).toEqual(['14_b', '14_b_2', '14_a']);
  });

  it('are limited in number', () => {
    const words = Array.from({ length: 9_000 }, (_, n) => `w${n % 4_500}`);
    expect(termsOf(1, words)).toHaveLength(MAX_TERMS);
  });
});

describe('the terms that a search reads', () => {
  const count = (term: string, items: number) => ({ term, items });

  it('weigh more the rarer they are', () => {
    const terms = termsToRead([count('common', 50), count('rare', 1), count('everywhere', 100)], 100);
    expect(terms.map(({ term }) => term)).toEqual(['rare', 'common', 'everywhere']);
    const [rare = 0, common = 0, everywhere = 0] = terms.map(({ weight }) => weight);
    expect(rare).toBeGreaterThan(4);
    expect(common).toBeGreaterThan(0.5);
    expect(everywhere).toBeGreaterThan(0);
    expect(everywhere).toBeLessThan(0.01);
  });

  it('are the rarest, and at least one, of limited size together', () => {
    const read = (...counts: TermCount[]) => termsToRead(counts, 100_000).map(({ term }) => term);
    expect(read(count('a', 9_000), count('b', 900), count('c', 200), count('d', 0))).toEqual(['c', 'b']);
    expect(read(count('a', 90_000))).toEqual(['a']);
    expect(read(count('a', 90_000), count('b', 20_000))).toEqual(['a']);
  });
});
