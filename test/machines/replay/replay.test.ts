import { describe, expect, it } from 'vitest';
import type { Json } from '../../../machines/json.ts';
import { COMPILER_VERSION } from '../../../machines/program/version.ts';
import { LogMismatch, type TimedEvent } from '../../../machines/replay/index.ts';
import { load, SnapshotVersionMismatch, save, stateOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { approval, condition, join, parallel, retried, subgraph, tool, wait, workflow } from '../../support/workflows.ts';

const env = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'another-runtime' };

/** An execution with every kind of message. */
function eventful(): Driver {
  const made = workflow(
    [
      parallel('s', ['a', 'review', 'paid', 'sub', 'held']),
      { ...retried('a', 'jittered'), labels: {} },
      approval('review', { description: 'go {{ input.n }}?' }),
      wait('paid', { condition: 'either', timeout_secs: 60 }),
      subgraph('sub', { output_mapping: { inner: '{{ state.r }}' } }),
      { ...tool('held'), policy: { require_approval_for: ['*'] } },
      join('j'),
      condition('gate', ["env.MODE == 'fast'", 'fast'], [null, 'slow']),
      tool('fast'),
      tool('slow'),
    ],
    [
      ['a', 'j'],
      ['review', 'j'],
      ['paid', 'j'],
      ['sub', 'j'],
      ['held', 'j'],
      ['j', 'gate'],
    ],
  );
  const driver = new Driver(made, {
    input: { n: 1 },
    env: { isLocal: (node) => node === 'a', vars: { MODE: 'fast' }, stepLimit: 50 },
  });
  const child = (change: never, childId: string) =>
    driver.send({ type: 'child', ...driver.visit('sub'), childId, childWorkflowId: 'inner', change });
  driver.fail('a', { errorClass: 'io_error' });
  driver.fire('a');
  driver.send({ type: 'requeue', ...driver.visit('a') });
  driver.done('a', { text: 'ü', n: -0.5 }, { patch: { kept: [1, null] }, usage: { input_tokens: 3 } });
  child({ status: 'started' } as never, 'exec_c1');
  child({ status: 'failed', error: 'no' } as never, 'exec_c1');
  driver.fire('sub');
  child({ status: 'started' } as never, 'exec_c2');
  child({ status: 'paused' } as never, 'exec_c2');
  child({ status: 'running' } as never, 'exec_c2');
  child({ status: 'completed', result: { r: 9 } } as never, 'exec_c2');
  driver.decide('held', 'approved', { note: 1 });
  driver.send({ type: 'claimed', ...driver.visit('held'), workerId: 'w' });
  driver.done('held', 'result');
  driver.event('unknown', 1);
  driver.fire('paid');
  driver.decide('review', 'approved');
  driver.send({ type: 'cancel', reason: 'enough' });
  return driver;
}

describe('a replay', () => {
  it('gives the stored snapshot at every step, with every kind of message', () => {
    const driver = eventful();
    expect(driver.run.status).toBe('cancelled');
    for (const { seq, text } of driver.saves) {
      const replayed = replay(driver.program, null, driver.log.slice(0, seq), env);
      expect(save(replayed)).toBe(text);
      expect(replayed.seq).toBe(seq);
    }
  });

  it.each(['rules', 'language'])('refuses a log that began under later %s', (version) => {
    const { program, log } = eventful();
    const [first, ...rest] = log as [TimedEvent, ...TimedEvent[]];
    const later = [{ ...first, data: { ...first.data, [version]: 99 } }, ...rest];
    expect(() => replay(program, null, later, env)).toThrow('a later release has written the log');
  });

  it('needs only the events after a checkpoint', () => {
    const driver = eventful();
    for (const { seq, text } of driver.saves.slice(0, -1)) {
      const checkpoint = load(driver.program, text, { seq, input: { n: 1 } });
      expect(save(replay(driver.program, checkpoint, driver.log.slice(seq), env))).toBe(save(driver.run));
    }
  });

  it('gives the same state, error and status', () => {
    const driver = eventful();
    const replayed = replay(driver.program, null, driver.log, env);
    expect(stateOf(replayed)).toEqual(driver.state);
    expect({ ...replayed, snapshot: null }).toEqual({ ...driver.run, snapshot: null });
  });

  it.each([
    ['an event is missing', (log: Driver['log']) => log.toSpliced(4, 1)],
    [
      'an output was changed',
      (log: Driver['log']) =>
        log
          .map((event) =>
            event.type === 'node_completed' && event.node_id === 'held'
              ? { ...event, data: { ...event.data, state_patch: { x: 1 } } }
              : event,
          )
          .map((event) => event),
    ],
    ['two events are swapped', (log: Driver['log']) => log.toSpliced(2, 2, log[3] as never, log[2] as never)],
    ['a step is cut short', (log: Driver['log']) => log.slice(0, 3)],
    ['it does not begin at the beginning', (log: Driver['log']) => log.slice(1)],
    ['it is empty', () => []],
    [
      'an event is of an unknown kind',
      (log: Driver['log']) => [
        ...log,
        { ...(log.at(-1) as Driver['log'][number]), sequence: log.length + 1, type: 'node_parked' as never },
      ],
    ],
  ])('refuses a log when %s', (_, change) => {
    const driver = eventful();
    expect(() => replay(driver.program, null, change(driver.log), env)).toThrow(LogMismatch);
  });

  it('refuses the log of another workflow', () => {
    const other = new Driver(workflow([tool('x'), tool('y')], [['x', 'y']]));
    expect(() => replay(other.program, null, eventful().log, env)).toThrow(
      /event \d+: history is not deterministic: the log has .*, the replay gives/,
    );
  });

  it('refuses a log in which a step is missing, also where the rest would follow from what is there', () => {
    const driver = new Driver(workflow([tool('a')]));
    driver.pause();
    driver.resume();
    driver.fail('a');
    driver.retry();
    driver.done('a');
    const { program, log } = driver;
    const boundaries = driver.saves.map(({ seq }) => seq);
    for (const [i, end] of boundaries.entries()) {
      const start = boundaries[i - 1] ?? 0;
      if (start === 0 || end === log.length) continue;
      const without = log.filter(({ sequence }) => sequence <= start || sequence > end);
      expect(() => replay(program, null, without, env), `${start} to ${end}`).toThrow(LogMismatch);
    }
    const beside = new Driver(workflow([tool('a')]));
    for (const _ of [1, 2]) beside.send({ type: 'enqueue', node: 'a', queue: 'general' });
    const [first = 0, second = 0] = beside.saves.map(({ seq }) => seq);
    const gap = beside.log.filter(({ sequence }) => sequence <= first || sequence > second);
    expect(() => replay(beside.program, null, gap, env)).toThrow(`event ${second + 1}: follows sequence ${first}`);
  });

  it('uses the step limit with which the execution started', () => {
    const driver = new Driver(workflow([tool('a')], [['a', 'a', 'state.go']]), { input: { go: true }, env: { stepLimit: 3 } });
    while (driver.run.status === 'running') driver.done('a');
    expect(save(replay(driver.program, null, driver.log, env))).toBe(save(driver.run));
  });
});

describe('a snapshot', () => {
  it('is small, and does not contain the input', () => {
    const input: Json = { secret: 'x'.repeat(1_000) };
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]), { input });
    driver.done('a', {}, { patch: { secret: null, n: 1 } });
    expect(JSON.parse(save(driver.run))).toEqual({
      version: COMPILER_VERSION,
      at: ['b'],
      state: { n: 1 },
      steps: 1,
      active: { b: { activation: 1, attempt: 0, phase: 'queued' } },
    });
  });

  it('of another compiler version is not loaded', () => {
    const driver = new Driver(workflow([tool('a')]));
    const text = save(driver.run).replace(`"version":${COMPILER_VERSION}`, '"version":0');
    expect(() => load(driver.program, text, { seq: 2, input: {} })).toThrow(SnapshotVersionMismatch);
  });

  it('must be one, and of this workflow', () => {
    const { program, run } = new Driver(workflow([tool('a')]));
    const other = new Driver(workflow([tool('b')]));
    expect(() => load(program, 'no json', { seq: 1, input: {} })).toThrow(SyntaxError);
    expect(() => load(other.program, save(run), { seq: 1, input: {} })).toThrow();
  });

  it('keeps node ids that are special in JavaScript or XState', () => {
    const ids = ['toString', 'valueOf', '1', 'a.b', '#x', 'guard:y', 'x*', 'naïve ☃', '%41', 'hasOwnProperty'];
    const driver = new Driver(
      workflow(
        [parallel('s', ids), ...ids.map((id) => retried(id, 'twice')), join('j', { output_key: 'all' })],
        ids.map((id) => [id, 'j'] as const),
      ),
    );
    for (const id of ids) {
      driver.fail(id);
      driver.reload();
      driver.fire(id);
      driver.done(id, id);
      driver.reload();
    }
    expect(driver.run.status).toBe('completed');
    expect(driver.state.all).toEqual({ outputs: ids, by_source: Object.fromEntries(ids.map((id) => [id, id])) });
  });
});
