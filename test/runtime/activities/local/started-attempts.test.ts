import { describe, expect, it } from 'vitest';
import { StartedAttempts } from '../../../../src/runtime/activities/local/started-attempts.ts';

const VISIT = { node: 'n', activation: 1, attempt: 0 };

describe('the attempts that a runtime on a shared database has started', () => {
  it('are started once, whichever state asks for them', () => {
    const started = new StartedAttempts(true);
    expect(started.add('e', VISIT, 5)).toBe(true);
    expect(started.add('e', VISIT, 5)).toBe(false);
    expect(started.add('e', VISIT, 3)).toBe(false);
    expect(started.has('e', VISIT)).toBe(true);
  });

  it('are not started again by a state that is older than the run that refused the outcome', () => {
    const started = new StartedAttempts(true);
    started.add('e', VISIT, 5);
    started.refused('e', VISIT, 8);
    expect(started.has('e', VISIT)).toBe(false);
    expect(started.add('e', VISIT, 7)).toBe(false);
    expect(started.add('e', VISIT, 8)).toBe(true);
  });

  it('are started again by an older state that was read after the refusal: the database has gone back', () => {
    const started = new StartedAttempts(true);
    started.add('e', VISIT, 5);
    const before = started.refusals;
    started.refused('e', VISIT, 8);
    started.wantedAgain('e', VISIT, 5, before);
    expect(started.add('e', VISIT, 5)).toBe(false);
    started.wantedAgain('e', VISIT, 5, started.refusals);
    expect(started.add('e', VISIT, 5)).toBe(true);
  });

  it('are started again by any state when the store refused the outcome', () => {
    const started = new StartedAttempts(true);
    started.add('e', VISIT, 5);
    started.refused('e', VISIT, undefined);
    expect(started.add('e', VISIT, 5)).toBe(true);
  });

  it('are all forgotten at once', () => {
    const started = new StartedAttempts(true);
    started.add('e', VISIT, 5);
    started.refused('e', VISIT, 8);
    started.clear();
    expect(started.add('e', VISIT, 1)).toBe(true);
  });
});
