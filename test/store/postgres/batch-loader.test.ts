import { describe, expect, it } from 'vitest';
import { BatchLoader } from '../../../store/postgres/batch-loader.ts';

/** A batch loader whose queries the test answers. */
function bench() {
  const asked: { readonly keys: readonly string[]; answer(rows: Readonly<Record<string, string>>): void; fail(): void }[] = [];
  let nowMs = 0;
  const loader = new BatchLoader<string>(
    (keys) =>
      new Promise((resolve, reject) => {
        asked.push({
          keys,
          answer: (rows) => resolve(new Map(Object.entries(rows))),
          fail: () => reject(new Error('away')),
        });
      }),
    () => nowMs,
  );
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { loader, asked, pass };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('batched lookups', () => {
  it('are sent at once while no query is running', async () => {
    const { loader, asked } = bench();
    const found = loader.get('a');
    expect(asked.map(({ keys }) => keys)).toEqual([['a']]);
    asked[0]?.answer({ a: 'A' });
    expect(await found).toBe('A');
  });

  it('wait for the next query while two are running, each key once', async () => {
    const { loader, asked } = bench();
    const found = ['a', 'b', 'c', 'd', 'c'].map((key) => loader.get(key));
    expect(asked.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
    asked[1]?.answer({});
    await settled();
    expect(asked[2]?.keys).toEqual(['c', 'd']);
    asked[2]?.answer({ c: 'C' });
    asked[0]?.answer({ a: 'A' });
    expect(await Promise.all(found)).toEqual(['A', null, 'C', null, 'C']);
  });

  it('never join a query that was sent before', async () => {
    const { loader, asked } = bench();
    const before = loader.get('a');
    const after = loader.get('a');
    expect(asked.map(({ keys }) => keys)).toEqual([['a'], ['a']]);
    asked[1]?.answer({ a: 'new' });
    asked[0]?.answer({ a: 'old' });
    expect([await before, await after]).toEqual(['old', 'new']);
  });

  it('fail together, without failing later ones', async () => {
    const { loader, asked } = bench();
    const found = ['a', 'b', 'c', 'd'].map((key) => loader.get(key).catch(String));
    asked[0]?.answer({});
    await settled();
    asked[2]?.fail();
    asked[1]?.answer({ b: 'B' });
    expect(await Promise.all(found)).toEqual([null, 'B', 'Error: away', 'Error: away']);
    const again = loader.get('c');
    asked[3]?.answer({ c: 'C' });
    expect(await again).toBe('C');
  });

  it('that waited behind a query that failed after a long time fail, too', async () => {
    const { loader, asked, pass } = bench();
    const outcome = (keys: readonly string[]) => keys.map((key) => loader.get(key).catch(String));
    const many = Array.from({ length: 300 }, (_, i) => `k${i}`);
    const [first, second, ...rest] = outcome(['a', 'b', ...many]);
    asked[0]?.answer({});
    await settled();
    expect(asked[2]?.keys).toHaveLength(256);
    pass(1);
    const [later] = outcome(['k299']);
    pass(30_000);
    asked[2]?.fail();
    expect(new Set(await Promise.all(rest))).toEqual(new Set(['Error: away']));
    expect(asked[3]?.keys).toEqual(['k299']);
    asked[1]?.answer({ b: 'B' });
    asked[3]?.answer({ k299: 'K' });
    expect(await Promise.all([first, second, later])).toEqual([null, 'B', 'K']);
  });

  it('of very many keys are split into several queries', async () => {
    const { loader, asked } = bench();
    const found = Array.from({ length: 600 }, (_, i) => loader.get(`k${i}`));
    for (let i = 0; i < 5; i += 1) {
      const { keys = [], answer } = asked[i] ?? {};
      answer?.(Object.fromEntries(keys.map((key) => [key, key])));
      await settled();
    }
    expect(asked.map(({ keys }) => keys.length)).toEqual([1, 1, 256, 256, 86]);
    expect(await Promise.all(found)).toEqual(Array.from({ length: 600 }, (_, i) => `k${i}`));
  });
});
