import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { END } from '../../../machines/graph/edges.ts';
import type { Graph } from '../../../machines/graph/graph.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import type { ExecutionOverlay } from '../../../machines/views/execution-overlay.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';

function golden(name: string): { readonly document: JsonObject; readonly events: readonly TimedEvent[] } {
  return JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')) as ReturnType<typeof golden>;
}

/** The marks of a golden log after its event `at`, and the edges that were taken, `from → to`, with how often when it was not once. */
function played(
  name: string,
  at = Number.POSITIVE_INFINITY,
): { readonly marks: ExecutionOverlay; readonly taken: readonly string[]; readonly graph: Graph } {
  const { document, events } = golden(name);
  const program = compile(normalise(document).workflow, 'r');
  const happenings = new OverlayBuilder(program);
  for (const event of events) if (event.sequence <= at) happenings.apply(event);
  const { overlay: marks } = happenings;
  const { graph } = program.tables;
  const taken = graph.edges.flatMap(({ index, from, to }) => {
    const count = marks.taken[index] ?? 0;
    const text = `${graph.idOf(from)} → ${to === END ? 'end' : graph.idOf(to)}`;
    return count === 0 ? [] : [count === 1 ? text : `${text} ${count}×`];
  });
  return { marks, taken, graph };
}

function statuses({ nodes }: ExecutionOverlay): Record<string, string> {
  return Object.fromEntries([...nodes].map(([node, { status }]) => [node, status]));
}

describe('what a log tells of nodes and edges', () => {
  it('follows conditions by the state they were asked of', () => {
    const { marks, taken } = played('section-with-choices');
    expect(taken).toEqual(['a → b', 'a → c', 'b → e', 'c → e', 'e → f']);
    expect(statuses(marks)).toEqual({ a: 'done', b: 'done', c: 'done', d: 'skipped', e: 'done', f: 'done' });
    expect(marks.status).toBe('completed');
  });

  it('counts rounds of a loop, and the attempts that were made again', () => {
    const { marks, taken } = played('loop-of-three-rounds');
    expect(taken).toEqual(expect.arrayContaining(['draft → review 3×', 'review → draft 2×', 'review → publish']));
    expect(marks.nodes.get('draft')).toMatchObject({ status: 'done', visits: 3, retries: 1, durationMs: 7 });
  });

  it('shows any earlier moment', () => {
    expect(statuses(played('retry-with-backoff', 2).marks)).toEqual({ a: 'queued' });
    expect(statuses(played('retry-with-backoff', 3).marks)).toEqual({ a: 'active' });
    const failed = played('retry-with-backoff', 5).marks;
    expect(failed).toMatchObject({ status: 'running', sequence: 5, atMs: 1_767_225_602_000 });
    expect(failed.nodes.get('a')).toMatchObject({ status: 'retrying', visits: 1, retries: 1, error: 'one' });
    expect(played('retry-with-backoff').marks.nodes.get('a')).toMatchObject({ status: 'done', retries: 3 });
  });

  it('takes the route of an outcome', () => {
    expect(played('approval-rejected-by-route').taken).toContain('ask → no');
    expect(played('wait-event-timeout-by-route').taken.join()).toMatch(/w → late/);
    expect(played('fallback').marks.status).toBe('completed');
    expect(played('approval-rejected-fails').marks.status).toBe('failed');
  });

  it('tells what a first-wins join cancelled', () => {
    const { marks, taken } = played('fork-first');
    expect(statuses(marks)).toMatchObject({ a: 'done', b: 'cancelled', d: 'cancelled', g: 'cancelled', any: 'done' });
    expect(taken).toContain('a → any');
    expect(taken).not.toContain('b → any');
  });

  it('measures a wait itself: the API tells 0 of what nobody measures', () => {
    const { document, events } = golden('wait-timer');
    const happenings = new OverlayBuilder(compile(normalise(document).workflow, 'r'));
    for (const event of events) happenings.apply({ ...event, data: { duration_ms: 0, ...event.data } });
    expect(happenings.overlay.nodes.get('pause')).toMatchObject({ status: 'done', durationMs: 90_500 });
    expect(happenings.overlay.nodes.get('a')).toMatchObject({ durationMs: 7 });
  });

  it('measures what was under way in the origin from the fork on', () => {
    const { events } = golden('forked');
    const fork = events.find(({ type }) => type === 'workflow_forked');
    expect(played('forked', fork?.sequence).marks.nodes.get('asked')).toMatchObject({ status: 'waiting', sinceMs: fork?.at_ms });
    expect(played('forked').marks.nodes.get('asked')).toMatchObject({ status: 'done', durationMs: 31_000 });
  });

  it('tells held, waiting, active and retrying apart', () => {
    expect(statuses(played('fork-first', 15).marks)).toMatchObject({
      a: 'queued',
      b: 'active',
      c: 'retrying',
      d: 'waiting',
      e: 'waiting',
      f: 'active',
      g: 'held',
    });
  });

  it('marks as held what an operator keeps from beginning', () => {
    const { events } = golden('pause-and-resume');
    const resumed = events.find(({ type }) => type === 'workflow_resumed')?.sequence ?? 0;
    const { marks } = played('pause-and-resume', resumed - 1);
    expect(marks).toMatchObject({ status: 'paused', suspended: true });
    expect([...marks.nodes.values()].some(({ status }) => status === 'held')).toBe(true);
    expect(played('pause-and-resume').marks.status).toBe('completed');
  });

  it('is paused when all that is under way waits', () => {
    expect(played('approval-rejected-by-route', 0).marks).toMatchObject({ status: 'running', suspended: false });
    const { events } = golden('approval-rejected-by-route');
    const decided = events.find(({ type }) => type === 'approval_received')?.sequence ?? 0;
    expect(played('approval-rejected-by-route', decided - 1).marks).toMatchObject({ status: 'paused', suspended: false });
    expect(played('fork-first', 15).marks).toMatchObject({ status: 'running', suspended: false });
  });

  it('leaves what was under way at the end as cancelled', () => {
    expect(played('token-budget').marks.nodes.get('after')?.status).toBe('cancelled');
    expect(played('limit-exceeded').marks).toMatchObject({ status: 'limit_exceeded' });
    expect(played('workflow-timeout').marks).toMatchObject({ status: 'cancelled' });
  });

  it('explains every visit by an edge that was taken', () => {
    for (const file of readdirSync('test/golden').filter((name) => name.endsWith('.json'))) {
      const { marks, graph } = played(file.replace(/\.json$/, ''));
      if (marks.status !== 'completed') continue;
      // Such a join runs without an edge, and closes nodes that edges have led to.
      if (graph.edges.some(({ role, to }) => role === 'wait' && graph.isFirstJoin(to))) continue;
      const led = new Map<string, number>([[graph.idOf(graph.start), 1]]);
      for (const { index, to } of graph.edges) {
        if (to === END) continue;
        const id = graph.idOf(to);
        led.set(id, (led.get(id) ?? 0) + (marks.taken[index] ?? 0));
      }
      const reached = [...led].filter(([, count]) => count > 0).map(([id]) => id);
      const visited = [...marks.nodes].flatMap(([id, { visits }]) => (visits > 0 ? [id] : []));
      expect([file, reached.sort()]).toEqual([file, visited.sort()]);
    }
  });
});
