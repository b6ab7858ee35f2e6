import { describe, expect, it } from 'vitest';
import { normalise } from '../../../../machines/ir/normalise.ts';
import type { Run } from '../../../../machines/run.ts';
import { save } from '../../../../machines/step/index.ts';
import { nextCheckpoint } from '../../../../src/runtime/engine/commit/checkpoint.ts';
import { type Checkpoint, NO_CHECKPOINT } from '../../../../src/runtime/engine/loading/cached-execution.ts';
import { Driver } from '../../../support/driver.ts';
import { ir, tool } from '../../../support/ir.ts';
import { CALLER, openTestRuntime } from '../../../support/runtimes.ts';

const MIN = 4_096;
/** A run with a snapshot of about 10 kB. */
const { run } = new Driver(normalise(ir('one', { a: tool('work') }, [['a', 'end']])).workflow, {
  input: { text: 'x'.repeat(10_000) },
});
const SIZE = save(run).length;
const LAST: Checkpoint = { seq: 1, keptSeq: 0, bytes: 6_000, logBytes: 0 };

const at = (seq: number, status: Run['status'] = 'running'): Run => ({ ...run, seq, status });
const log = (bytes: number, firstReset: number | null = null) => ({ bytes, firstReset, isCorrupt: false });

describe('a checkpoint', () => {
  it('is stored when the log since the last one is larger than the snapshot', () => {
    expect(nextCheckpoint(NO_CHECKPOINT, at(3), log(SIZE + 1), MIN)).toEqual({
      write: { text: save(run), replacesFrom: null },
      checkpoint: { seq: 3, keptSeq: 0, bytes: SIZE, logBytes: 0 },
    });
    expect(nextCheckpoint(LAST, at(9), log(SIZE + 1), MIN).write).toEqual({ text: save(run), replacesFrom: 1 });
  });

  it('is not stored after a small log, nor while the log is smaller than the snapshot', () => {
    const small = nextCheckpoint(NO_CHECKPOINT, at(3), log(MIN), MIN);
    expect(small).toEqual({ write: null, checkpoint: { ...NO_CHECKPOINT, logBytes: MIN } });
    const large = nextCheckpoint(small.checkpoint, at(5), log(1), MIN);
    expect(large).toEqual({ write: null, checkpoint: { ...NO_CHECKPOINT, bytes: SIZE, logBytes: MIN + 1 } });
    expect(nextCheckpoint(large.checkpoint, at(7), log(SIZE - MIN - 1), MIN).write).toBeNull();
    expect(nextCheckpoint(large.checkpoint, at(7), log(SIZE - MIN), MIN).write).not.toBeNull();
  });

  it('is not stored for a large input, which is read in any case, nor after the end', async () => {
    const bench = await openTestRuntime({ tools: { work: () => 'y'.repeat(5_000) } });
    const nodes = Object.fromEntries(['a', 'b', 'c'].map((id) => [id, tool('work', { output_key: 'out' })]));
    const document = ir('chain', nodes, [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'end'],
    ]);
    const large = await bench.run(document, { text: 'x'.repeat(100_000) });
    await bench.settled(large);
    expect(await bench.store.checkpoint(large)).toBeNull();
    const waiting = { ...nodes, c: { type: 'human_approval' } };
    const small = await bench.run(
      ir('asking', waiting, [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'end'],
      ]),
      { text: '' },
    );
    await bench.settled(small);
    expect(await bench.store.checkpoint(small)).not.toBeNull();
    await bench.runtime.approve(CALLER, small, { decision: 'approved' });
    expect((await bench.settled(small)).status).toBe('completed');
    expect(await bench.store.checkpoint(small)).toBeNull();
  });

  it('is stored at the end of an execution only if reading it would replay many events', () => {
    const last = { ...LAST, seq: 100 };
    expect(nextCheckpoint(last, at(300, 'completed'), log(10), MIN).write).toBeNull();
    expect(nextCheckpoint(last, at(301, 'completed'), log(10), MIN).write?.text).toBe(save(run));
    expect(nextCheckpoint(last, at(301, 'paused'), log(10), MIN).write).toBeNull();
  });

  it('is deleted at the end of an execution with a short log', () => {
    const last = { ...LAST, seq: 100 };
    expect(nextCheckpoint(last, at(200, 'completed'), log(SIZE + 1), MIN)).toEqual({
      write: { text: null, replacesFrom: 1 },
      checkpoint: { ...NO_CHECKPOINT, bytes: LAST.bytes, logBytes: SIZE + 1 },
    });
    expect(nextCheckpoint(NO_CHECKPOINT, at(200, 'failed'), log(SIZE + 1), MIN).write).toBeNull();
  });

  it('is stored at the end of an execution that could not be stepped', () => {
    expect(nextCheckpoint(NO_CHECKPOINT, at(9, 'failed'), { ...log(10), isCorrupt: true }, MIN).write?.text).toBe(save(run));
  });

  it('replaces those that contain failures which a retry resets', () => {
    expect(nextCheckpoint({ ...LAST, seq: 8 }, at(12), log(10, 9), MIN).write).toBeNull();
    expect(nextCheckpoint({ ...LAST, seq: 9 }, at(12), log(10, 9), MIN).write?.replacesFrom).toBe(9);
    expect(nextCheckpoint({ ...LAST, seq: 10 }, at(12), log(10, 5), MIN).write?.replacesFrom).toBe(5);
  });

  it('replaces the last one, which is kept after many events', () => {
    const next = (change: Partial<Checkpoint>) => nextCheckpoint({ ...LAST, ...change }, at(50_000), log(SIZE + 1), MIN);
    expect(next({ seq: 4_095 })).toMatchObject({ write: { replacesFrom: 4_095 }, checkpoint: { keptSeq: 0 } });
    expect(next({ seq: 4_096 })).toMatchObject({ write: { replacesFrom: null }, checkpoint: { keptSeq: 4_096 } });
    expect(next({ seq: 8_191, keptSeq: 4_096 })).toMatchObject({
      write: { replacesFrom: 8_191 },
      checkpoint: { keptSeq: 4_096 },
    });
    expect(next({ seq: 8_192, keptSeq: 4_096 })).toMatchObject({
      write: { replacesFrom: null },
      checkpoint: { keptSeq: 8_192 },
    });
  });

  it('is kept only if the log since the one before is many times larger', () => {
    const large = { ...LAST, bytes: 100_000 };
    expect(nextCheckpoint({ ...large, seq: 24_999 }, at(50_000), log(100_001), MIN).write?.replacesFrom).toBe(24_999);
    expect(nextCheckpoint({ ...large, seq: 25_000 }, at(50_000), log(100_001), MIN).write?.replacesFrom).toBeNull();
  });

  it('replaces kept ones that contain failures which a retry resets', () => {
    const last = { ...LAST, seq: 12_000, keptSeq: 9_000 };
    expect(nextCheckpoint(last, at(12_001), log(10, 8_500), MIN)).toMatchObject({
      write: { replacesFrom: 8_500 },
      checkpoint: { keptSeq: 0 },
    });
    expect(nextCheckpoint(last, at(12_001), log(10, 9_500), MIN).checkpoint.keptSeq).toBe(9_000);
  });

  it('replaces all that cannot be used', () => {
    const { write, checkpoint } = nextCheckpoint({ ...LAST, seq: 7, isUnusable: true }, at(9), log(10), MIN);
    expect(write?.replacesFrom).toBe(1);
    expect(checkpoint).toEqual({ seq: 9, keptSeq: 0, bytes: SIZE, logBytes: 0 });
  });

  it('is stored with every commit if asked for', () => {
    expect(nextCheckpoint(LAST, at(2), log(1), 0).write?.replacesFrom).toBe(1);
  });
});
