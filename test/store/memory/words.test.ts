import { describe, expect, it } from 'vitest';
import { termsToRead } from '../../../store/resources/memory/terms.ts';
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

describe('the terms that a search reads', () => {
  const count = (term: string, items: number) => ({ term, items });

  it('weigh more the rarer they are', () => {
    const {
      rare = 0,
      common = 0,
      everywhere = 0,
    } = termsToRead([count('common', 50), count('rare', 1), count('everywhere', 100)], 100);
    expect(rare).toBeGreaterThan(4);
    expect(common).toBeGreaterThan(0.5);
    expect(everywhere).toBeGreaterThan(0);
    expect(everywhere).toBeLessThan(0.01);
  });

  it('are the rarest, and at least one, of limited size together', () => {
    expect(Object.keys(termsToRead([count('a', 9_000), count('b', 900), count('c', 200), count('d', 0)], 100_000))).toEqual([
      'c',
      'b',
    ]);
    expect(Object.keys(termsToRead([count('a', 90_000)], 100_000))).toEqual(['a']);
  });
});
