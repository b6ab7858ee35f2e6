import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../machines/compile/index.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { historyOf, LogReplay } from '../../machines/replay/index.ts';
import { STATUS_EVENTS } from '../../src/views/status-events.ts';
import { GOLDEN_ENV, goldenNames, isRecorded, readGolden } from '../support/golden.ts';

const KNOWN: ReadonlySet<string> = new Set(STATUS_EVENTS);

/** What each step of a golden log did: the status and error after it, and the types of its events. */
function steps(name: string): readonly { readonly result: string; readonly types: readonly string[] }[] {
  const golden = readGolden(name);
  if (!isRecorded(golden)) throw new Error(`${name} is not recorded`);
  const program = compile(normalise(golden.document).workflow, 'revision');
  const replay = new LogReplay(program, GOLDEN_ENV, historyOf(golden.events));
  for (const event of golden.events) replay.push(event);
  const done: { readonly result: string; readonly types: readonly string[] }[] = [];
  let at = 0;
  for (let run = replay.next(true); run !== null; run = replay.next(true)) {
    const types = golden.events.slice(at, run.seq).map(({ type }) => type);
    done.push({ result: `${run.status} ${run.error}`, types });
    at = run.seq;
  }
  return done;
}

describe('the events that may change a status', () => {
  it.each(goldenNames())('are among those of every step of %s that changes it', (name) => {
    let before = '';
    for (const { result, types } of steps(name)) {
      const isKnown = types.some((type) => KNOWN.has(type));
      expect({ types, isKnown: isKnown || result === before }).toEqual({ types, isKnown: true });
      before = result;
    }
  });

  it('are those of the reference', () => {
    const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
    const [, list = ''] = /event of at least one of these types: ([^.]+)\./.exec(text) ?? [];
    expect(list.match(/\w+/g)).toEqual([...STATUS_EVENTS]);
  });

  it('have changed it in some golden log, all but a few', () => {
    const changing = new Set<string>();
    for (const name of goldenNames()) {
      let before = '';
      for (const { result, types } of steps(name)) {
        if (result !== before) for (const type of types) changing.add(type);
        before = result;
      }
    }
    const never = STATUS_EVENTS.filter((type) => !changing.has(type));
    // A replay has the copied log of a fork. The others come with another type of the list so far.
    expect(never).toEqual(['workflow_forked', 'workflow_finalizing', 'child_workflow_failed']);
  });
});
