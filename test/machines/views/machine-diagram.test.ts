import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { historyOf, LogReplay, type TimedEvent, TransitionRecorder } from '../../../machines/replay/index.ts';
import type { Diagram } from '../../../machines/views/diagram.ts';
import { machineDiagram } from '../../../machines/views/machine-diagram.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';
import { type TransitionCounts, TransitionTally } from '../../../machines/views/transition-counts.ts';
import { GOLDEN_ENV, historyEvents } from '../../support/golden.ts';

const NAMES = readdirSync('test/golden').flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));

/** The machine of a golden log after the event `at`. */
function machineOf(
  name: string,
  at = Number.POSITIVE_INFINITY,
): { readonly diagram: Diagram; readonly transitions: TransitionCounts; readonly config: JsonObject } {
  const golden = JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')) as {
    readonly document: JsonObject;
    readonly events: readonly TimedEvent[];
  };
  const program = compile(normalise(golden.document).workflow, 'r');
  const events = golden.events.filter(({ sequence }) => sequence <= at);
  const builder = new OverlayBuilder(program);
  for (const event of historyEvents(events)) builder.apply(event);
  const recorder = new TransitionRecorder(program);
  const replay = new LogReplay(recorder.program, GOLDEN_ENV, historyOf(events));
  for (const event of events) replay.push(event);
  const tally = new TransitionTally();
  while (replay.next(true) !== null) tally.add(recorder.take());
  const { overlay } = builder;
  const diagram = machineDiagram(program, { id: null, overlay, transitions: tally.counts });
  return { diagram, transitions: tally.counts, config: program.config };
}

/** The final states and their overlays. */
function ends(name: string, at?: number): Record<string, string | null> {
  const finals = machineOf(name, at).diagram.nodes.filter(({ shape: look }) => look === 'final');
  return Object.fromEntries(finals.map((end) => [end.name, end.overlay?.status ?? null]));
}

/** How often each edge was taken, by the names of its ends; edges that were not taken are left out. */
function taken(name: string, at?: number): Record<string, number | null> {
  const { nodes, edges } = machineOf(name, at).diagram;
  const names = new Map(nodes.map((node) => [node.key, node.name]));
  return Object.fromEntries(
    edges.flatMap((edge) => (edge.taken === 0 ? [] : [[`${names.get(edge.from)} → ${names.get(edge.to)}`, edge.taken]])),
  );
}

describe('the diagram of a machine', () => {
  it('marks the final state that was reached', () => {
    expect(ends('loop-of-three-rounds')).toEqual({ completed: 'done', failed: null, limit_exceeded: null });
    expect(ends('approval-rejected-fails')).toMatchObject({ completed: null, failed: 'failed' });
    expect(ends('limit-exceeded')).toMatchObject({ completed: null, limit_exceeded: 'failed' });
    expect(ends('loop-of-three-rounds', 5)).toEqual({ completed: null, failed: null, limit_exceeded: null });
  });

  it('counts how often each edge was taken', () => {
    expect(taken('retry-with-backoff')).toEqual({
      'start → a': 1,
      'a → retry a': 3,
      'retry a → a': 3,
      'a → finish': 1,
      'finish → completed': 1,
    });
    expect(taken('approval-rejected-fails')).toEqual({ 'start → ask': 1, 'ask → finish': 1, 'finish → failed': 1 });
  });

  /** The step limit halts it between two states, by a transition that is not drawn. */
  const HALTED = 'step-limit-before-limit-exceeded';

  it.each(NAMES.filter((name) => name !== HALTED))('says of every edge of %s whether it was taken', (name) => {
    const { diagram, transitions, config } = machineOf(name);
    expect(diagram.edges.filter((edge) => edge.taken === null)).toEqual([]);
    const drawn = diagram.edges
      .filter(({ from }) => from !== 'begin' && from !== 'overbudget')
      .reduce((sum, edge) => sum + (edge.taken ?? 0), 0);
    // What ends an execution from any state belongs to the root and is not drawn.
    const all = [...transitions].flatMap(([source, targets]) => (source === config.id ? [] : [...targets.values()]));
    expect([name, drawn]).toEqual([name, all.reduce((sum, count) => sum + count, 0)]);
  });
});
