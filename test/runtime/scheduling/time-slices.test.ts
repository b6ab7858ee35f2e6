import { describe, expect, it } from 'vitest';
import { TimeSlices } from '../../../src/runtime/scheduling/time-slices.ts';

/** Time slices on a clock that pieces of work advance, and a log of which computation ran in which turn of the event loop. */
function watched() {
  let nowMs = 1_000;
  const slices = new TimeSlices({ nowMs: () => nowMs });
  const log: string[] = [];
  const work = async (name: string, key: string, pieces: number, pieceMs: number, signal?: AbortSignal): Promise<void> => {
    function* computation(): Generator<undefined, void> {
      for (let piece = 0; piece < pieces; piece += 1) {
        log.push(name);
        nowMs += pieceMs;
        yield;
      }
    }
    await slices.drive(slices.slice(key, signal), computation());
  };
  /** Marks each turn of the event loop in the log until the work is done. */
  const marked = async (begin: () => readonly Promise<unknown>[]): Promise<string> => {
    let over = false;
    const mark = (): void => {
      if (over) return;
      log.push('|');
      setImmediate(mark);
    };
    setImmediate(mark);
    await Promise.allSettled(begin());
    over = true;
    return log.join('').replaceAll(/\|+/g, '|').replace(/\|$/, '');
  };
  return { slices, work, marked, log, advance: (ms: number) => (nowMs += ms) };
}

describe('time slices', () => {
  it('let a computation continue while there is time', async () => {
    const { work, marked } = watched();
    expect(await marked(() => [work('a', 't', 9, 1)])).toBe('aaaaaaaaa');
  });

  it('end after 10 ms, or after many short pieces of work', async () => {
    const { work, marked } = watched();
    expect(await marked(() => [work('a', 't', 5, 4)])).toBe('aaa|aa');
    const quick = watched();
    const [first = ''] = (await quick.marked(() => [quick.work('a', 't', 250, 0)])).split('|');
    expect(first).toHaveLength(100);
  });

  it('are shared by all computations: a turn of the loop is exceeded by at most one piece of work', async () => {
    const { work, marked } = watched();
    const log = await marked(() => [work('a', 't', 3, 50), work('b', 't', 3, 50), work('c', 't', 3, 50)]);
    expect(log).toBe('a|a|b|c|a|b|c|b|c');
  });

  it('pass to the next computation in the same turn of the loop when one has ended in time', async () => {
    const { work, marked } = watched();
    const short = Array.from({ length: 8 }, () => 'b');
    expect(await marked(() => [work('a', 't', 1, 12), ...short.map((name) => work(name, 't', 1, 2))])).toBe('a|bbbbb|bbb');
  });

  it('are given to tenants in turn', async () => {
    const { work, marked } = watched();
    const log = await marked(() => [work('a', 't', 2, 50), work('b', 't', 2, 50), work('c', 't', 2, 50), work('x', 'u', 5, 50)]);
    expect(log).toBe('ax|a|x|b|x|c|x|b|x|c');
  });

  it('are not waited for by tenants that compute little, which have time of their own', async () => {
    const { work, marked } = watched();
    const log = await marked(() => [
      work('a', 't', 3, 50),
      ...[0, 1, 2, 3, 4].map((n) => work(`${n}`, `tenant-${n}`, 1, 3)),
      work('y', 'v', 1, 50),
    ]);
    // Four of them use up 10 ms; the others wait, but go before the one that has computed more.
    expect(log).toBe('a0123|4|y|a|a');
  });

  it('are short while others compute, for long pieces of work and for those that compute much more', async () => {
    const beside = (ownMs: number, pieces: number, pieceMs: number): Promise<string> => {
      const { slices, work, marked } = watched();
      slices.charge('u', 50);
      slices.charge('t', ownMs);
      return marked(() => [work('a', 't', pieces, pieceMs)]);
    };
    expect(await beside(50, 12, 0.5)).toBe('aaaaaaaaaaaa');
    expect(await beside(50, 6, 1)).toBe('aa|aa|aa');
    expect(await beside(250, 12, 0.5)).toBe('aaaa|aaaa|aaaa');
  });

  it('are given after what goes first and all that follows from it while others compute, and in the next turn if that took long', async () => {
    const withFirst = (ofOthersMs: number): Promise<string> => {
      const { slices, work, marked, log, advance } = watched();
      slices.charge('u', ofOthersMs);
      const first = (name: string, tookMs: number): void =>
        slices.goFirst(() => {
          advance(tookMs);
          void Promise.resolve().then(() => log.push(name));
        });
      return marked(() => {
        const all = [work('a', 't', 3, 50), work('b', 't', 3, 50)];
        first('F', 1);
        setImmediate(() => {
          first('G', 50);
          setImmediate(() => first('H', 50));
        });
        return all;
      });
    };
    expect(await withFirst(50)).toBe('a|Fa|G|Hb|a|b|b');
    expect(await withFirst(0)).toBe('a|aF|bG|aH|b|b');
  });

  it('are refused once the signal is aborted', async () => {
    const { work, marked } = watched();
    const gone = new AbortController();
    const log = await marked(() => {
      setImmediate(() => setImmediate(() => gone.abort()));
      return [work('a', 't', 1_000, 50, gone.signal), work('b', 't', 3, 50)];
    });
    const abandoned = work('a', 't', 1, 1, gone.signal);
    await expect(abandoned).rejects.toMatchObject({ code: 'shutting_down' });
    expect(log.match(/a/g)?.length).toBeLessThan(5);
    expect(log.match(/b/g)).toHaveLength(3);
  });

  it('continue when the clock is set back', async () => {
    const { work, marked, advance } = watched();
    const log = await marked(() => {
      const all = [work('a', 't', 3, 4), work('b', 't', 3, 4)];
      advance(-60_000);
      return all;
    });
    expect(log.replaceAll('|', '').split('').sort().join('')).toBe('aaabbb');
  });
});
