import { describe, expect, it } from 'vitest';
import { compile } from '../../machines/compile.ts';
import { fold, historyOf, Replay } from '../../machines/fold.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { TERMINAL } from '../../machines/run.ts';
import { save, stateOf } from '../../machines/step.ts';
import { EXECUTION, type Golden, goldenNames, readGolden } from '../support/golden.ts';
import { Fork, stepsOf } from '../support/refeed.ts';

const names = goldenNames();
const golden = (name: string): Golden => readGolden(name) as Golden;
const programOf = (log: Golden) => compile(normalise(log.document).workflow, 'revision');
const OTHER = { ...EXECUTION, executionId: 'exec_other' };

describe('a log folded while it is read', () => {
  it.each(names)('%s gives the run of every step', (name) => {
    const log = golden(name);
    const program = programOf(log);
    const replay = new Replay(program, EXECUTION, historyOf(log.events));
    const given: [number, string][] = [];
    const take = (ended: boolean): void => {
      for (let run = replay.next(ended); run !== null; run = replay.next(ended)) given.push([run.seq, save(run)]);
    };
    for (const event of log.events) {
      replay.push(event);
      take(false);
    }
    take(true);
    const pardoned = log.events.findLast(({ type }) => type === 'workflow_retried')?.sequence ?? 0;
    for (const [seq, text] of given)
      if (seq >= pardoned) expect(text).toBe(save(fold(program, null, log.events.slice(0, seq), EXECUTION)));
    expect(replay.run?.seq).toBe(log.events.length);
    expect(replay.atMs).toBe(log.events.at(-1)?.at_ms);
  });
});

describe('a fork', () => {
  it.each(names)('of %s at every step comes to the same end when it hears the same', (name) => {
    const { events, ...log } = golden(name);
    const program = programOf({ events, ...log });
    const end = fold(program, null, events, EXECUTION);
    for (const { run, end: at, later } of stepsOf(program, events, EXECUTION)) {
      // Nobody sends a fork: it is how an execution begins.
      if (TERMINAL.has(run.status) || later.some(({ message }) => message.type === 'fork')) continue;
      const fork = new Fork(program, OTHER, { log: events.slice(0, at), run, env: EXECUTION });
      for (const heard of later) fork.hear(heard);
      expect({ at, status: fork.run.status, state: stateOf(fork.run), error: fork.run.error, steps: fork.run.steps }).toEqual({
        at,
        status: end.status,
        state: stateOf(end),
        error: end.error,
        steps: end.steps,
      });
      expect(save(fold(program, null, fork.log, OTHER))).toBe(save(fork.run));
    }
  });
});
