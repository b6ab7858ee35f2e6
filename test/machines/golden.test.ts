import { describe, expect, it } from 'vitest';
import { compile } from '../../machines/compile/index.ts';
import { EVENT_TYPES } from '../../machines/events/index.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { KIND_NAMES } from '../../machines/nodes/index.ts';
import { COMPILER_VERSION } from '../../machines/program/version.ts';
import { load, save, stateOf } from '../../machines/step/index.ts';
import { GOLDEN_ENV, type Golden, goldenNames, isRecorded, readGolden, recordGolden } from '../support/golden.ts';
import { replay } from '../support/replay.ts';

const names = goldenNames();

if (process.env.RECORD_GOLDEN === '1') {
  for (const name of names) {
    const scenario = readGolden(name);
    if (!isRecorded(scenario)) recordGolden(name, scenario);
  }
}

function golden(name: string): Golden {
  const read = readGolden(name);
  if (isRecorded(read)) return read;
  throw new Error(`test/golden/${name}.json is not recorded yet: RECORD_GOLDEN=1 npx vitest run ${import.meta.filename}`);
}

const programOf = (log: Golden) => compile(normalise(log.document).workflow, 'revision');

/** Does the snapshot have failures that a later retry has reset? Then its log is replayed from the start, and the snapshot is not used. */
function isForgotten({ events }: Golden, at: number): boolean {
  return events.some(
    ({ type, sequence, data }) =>
      type === 'workflow_retried' && sequence > at && (data.forgiven as number[]).some((failure) => failure <= at),
  );
}

const isOfThisCompiler = ({ compiler }: Golden): boolean => compiler === COMPILER_VERSION;

describe('a log of any version', () => {
  it.each(names)('%s replays to the recorded status and state, and to the recorded snapshot with the same compiler', (name) => {
    const log = golden(name);
    const program = programOf(log);
    for (const { sequence, status, state, saved } of log.snapshots) {
      const run = replay(program, null, log.events.slice(0, sequence), GOLDEN_ENV);
      expect({ sequence: run.seq, status: run.status, state: stateOf(run) }).toEqual({ sequence, status, state });
      if (isOfThisCompiler(log)) expect(save(run)).toBe(JSON.stringify(saved));
    }
  });

  it.each(names.filter((name) => isOfThisCompiler(golden(name))))('%s goes on from a stored snapshot', (name) => {
    const log = golden(name);
    const program = programOf(log);
    const end = log.snapshots.at(-1);
    for (const { sequence, saved } of log.snapshots.slice(0, -1)) {
      if (isForgotten(log, sequence)) continue;
      const stored = load(program, JSON.stringify(saved), { seq: sequence, input: log.input });
      const run = replay(program, stored, log.events.slice(sequence, end?.sequence), GOLDEN_ENV);
      expect(save(run)).toBe(JSON.stringify(end?.saved));
    }
  });
});

describe('the golden logs', () => {
  it('have all node kinds and types of events', () => {
    const logs = names.map(golden);
    const kinds = logs.flatMap((log) => normalise(log.document).workflow.nodes.map((node) => node.kind.type));
    expect([...new Set(kinds)].sort()).toEqual([...KIND_NAMES].sort());
    const types = logs.flatMap((log) => log.events.map((event) => event.type));
    expect([...new Set(types)].sort()).toEqual([...EVENT_TYPES].sort());
  });

  it('end at their last snapshot', () => {
    for (const name of names) {
      const { events, snapshots } = golden(name);
      expect(events.map((event) => event.sequence)).toEqual(events.map((_, i) => i + 1));
      expect(snapshots.at(-1)?.sequence).toBe(events.length);
    }
  });
});
