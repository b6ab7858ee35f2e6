import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { END } from '../../../machines/graph/edges.ts';
import type { Graph } from '../../../machines/graph/graph.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import type { ExecutionOverlay } from '../../../machines/views/execution-overlay.ts';
import { markOf } from '../../../machines/views/labels.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';
import { historyEvents } from '../../support/golden.ts';

function golden(name: string): { readonly document: JsonObject; readonly events: readonly TimedEvent[] } {
  return JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')) as ReturnType<typeof golden>;
}

/** The overlay of a golden log after its event `at`, and the edges that were taken, `from → to`, with a count unless it is 1. */
function played(
  name: string,
  at = Number.POSITIVE_INFINITY,
): { readonly overlay: ExecutionOverlay; readonly taken: readonly string[]; readonly graph: Graph } {
  const { document, events } = golden(name);
  const program = compile(normalise(document).workflow, 'r');
  const builder = new OverlayBuilder(program);
  for (const event of historyEvents(events)) if (event.sequence <= at) builder.apply(event);
  const { overlay } = builder;
  const { graph } = program.tables;
  const taken = graph.edges.flatMap(({ index, from, to }) => {
    const count = overlay.taken[index] ?? 0;
    const text = `${graph.idOf(from)} → ${to === END ? 'end' : graph.idOf(to)}`;
    return count === 0 ? [] : [count === 1 ? text : `${text} ${count}×`];
  });
  return { overlay, taken, graph };
}

function statuses({ nodes }: ExecutionOverlay): Record<string, string> {
  return Object.fromEntries([...nodes].map(([node, { status }]) => [node, status]));
}

describe('the overlay of an execution', () => {
  it('shows the edges that conditions chose', () => {
    const { overlay, taken } = played('crossing-with-choices');
    expect(taken).toEqual(['a → b', 'a → c', 'b → e', 'c → e', 'e → f']);
    expect(statuses(overlay)).toEqual({ a: 'done', b: 'done', c: 'done', d: 'skipped', e: 'done', f: 'done' });
    expect(overlay.status).toBe('completed');
  });

  it('counts iterations of a loop, and retries', () => {
    const { overlay, taken } = played('loop-of-three-rounds');
    expect(taken).toEqual(expect.arrayContaining(['draft → review 3×', 'review → draft 2×', 'review → publish']));
    expect(overlay.nodes.get('draft')).toMatchObject({ status: 'done', visits: 3, retries: 1, durationMs: 7 });
  });

  it('counts the items of a list, also when all have ended', () => {
    const { overlay } = played('map');
    const m = overlay.nodes.get('m') ?? null;
    expect(m).toMatchObject({ status: 'done', items: { total: 3, succeeded: 2, failed: 1, cancelled: 0, open: 0 } });
    expect(markOf({ name: 'm', overlay: m })).toBe('done · 7 s · 3 of 3, 1 failed');
    expect(played('map', 2).overlay.nodes.get('m')).toMatchObject({ status: 'active', items: { total: 3, succeeded: 0 } });
    expect(played('loop-of-three-rounds').overlay.nodes.get('draft')?.items).toBe(null);
  });

  it('can be built up to any event', () => {
    expect(statuses(played('retry-with-backoff', 2).overlay)).toEqual({ a: 'queued' });
    expect(statuses(played('retry-with-backoff', 3).overlay)).toEqual({ a: 'active' });
    const failed = played('retry-with-backoff', 5).overlay;
    expect(failed).toMatchObject({ status: 'running', sequence: 5, atMs: 1_767_225_602_000 });
    expect(failed.nodes.get('a')).toMatchObject({ status: 'retrying', visits: 1, retries: 1, error: 'one' });
    expect(played('retry-with-backoff').overlay.nodes.get('a')).toMatchObject({ status: 'done', retries: 3 });
  });

  it('counts the edge of an outcome', () => {
    expect(played('approval-rejected-by-route').taken).toContain('ask → no');
    expect(played('wait-event-timeout-by-route').taken.join()).toMatch(/w → late/);
    expect(played('fallback').overlay.status).toBe('completed');
    expect(played('approval-rejected-fails').overlay.status).toBe('failed');
  });

  it('shows what a first-wins join cancelled', () => {
    const { overlay, taken } = played('fork-first');
    expect(statuses(overlay)).toMatchObject({ a: 'done', b: 'cancelled', d: 'cancelled', g: 'cancelled', any: 'done' });
    expect(taken).toContain('a → any');
    expect(taken).not.toContain('b → any');
  });

  it('measures waits by the times of their events', () => {
    const { document, events } = golden('wait-timer');
    const builder = new OverlayBuilder(compile(normalise(document).workflow, 'r'));
    for (const event of historyEvents(events)) builder.apply({ ...event, data: { duration_ms: 0, ...event.data } });
    expect(builder.overlay.nodes.get('pause')).toMatchObject({ status: 'done', durationMs: 90_500 });
    expect(builder.overlay.nodes.get('a')).toMatchObject({ durationMs: 7 });
  });

  it('measures from the fork on what was in progress in the origin', () => {
    const { events } = golden('forked');
    const fork = events.find(({ type }) => type === 'workflow_forked');
    expect(played('forked', fork?.sequence).overlay.nodes.get('asked')).toMatchObject({
      status: 'waiting',
      sinceMs: fork?.at_ms,
    });
    expect(played('forked').overlay.nodes.get('asked')).toMatchObject({ status: 'done', durationMs: 31_000 });
  });

  it('distinguishes held, waiting, active and retrying', () => {
    expect(statuses(played('fork-first', 15).overlay)).toMatchObject({
      a: 'queued',
      b: 'active',
      c: 'retrying',
      d: 'waiting',
      e: 'waiting',
      f: 'active',
      g: 'held',
    });
  });

  it('marks nodes as held that a suspension defers', () => {
    const { events } = golden('pause-and-resume');
    const resumed = events.find(({ type }) => type === 'workflow_resumed')?.sequence ?? 0;
    const { overlay } = played('pause-and-resume', resumed - 1);
    expect(overlay).toMatchObject({ status: 'paused', suspended: true });
    expect([...overlay.nodes.values()].some(({ status }) => status === 'held')).toBe(true);
    expect(played('pause-and-resume').overlay.status).toBe('completed');
  });

  it('is paused if everything in progress waits', () => {
    expect(played('approval-rejected-by-route', 0).overlay).toMatchObject({ status: 'running', suspended: false });
    const { events } = golden('approval-rejected-by-route');
    const decided = events.find(({ type }) => type === 'approval_received')?.sequence ?? 0;
    expect(played('approval-rejected-by-route', decided - 1).overlay).toMatchObject({ status: 'paused', suspended: false });
    expect(played('fork-first', 15).overlay).toMatchObject({ status: 'running', suspended: false });
  });

  it('marks what was in progress at the end as cancelled', () => {
    expect(played('token-budget').overlay.nodes.get('after')?.status).toBe('cancelled');
    expect(played('limit-exceeded').overlay).toMatchObject({ status: 'limit_exceeded' });
    expect(played('workflow-timeout').overlay).toMatchObject({ status: 'cancelled' });
  });

  it('says why an execution failed', () => {
    expect(played('fork-with-failure').overlay.error).toBe('a: no stock');
    expect(played('approval-rejected-fails').overlay.error).toBe('ask: rejected by ann: never');
    expect(played('wait-event-timeout-fails').overlay.error).toBe('w: timeout');
    expect(played('approval-rejected-by-route').overlay.error).toBeNull();
  });

  it('knows that an execution over its budget has gone where no edge leads', () => {
    expect(played('budget-route', 5).overlay).toMatchObject({ rerouted: false });
    const { overlay } = played('budget-route');
    expect(overlay).toMatchObject({ status: 'completed', rerouted: true });
    expect(overlay.nodes.get('report')?.status).toBe('skipped');
    expect(played('continue-as-new').overlay).toMatchObject({ status: 'limit_exceeded', rerouted: false });
  });

  it('has a taken edge for every visit', () => {
    for (const file of readdirSync('test/golden').filter((name) => name.endsWith('.json'))) {
      const { overlay, graph } = played(file.replace(/\.json$/, ''));
      if (overlay.status !== 'completed') continue;
      // Such a join runs without a taken edge, and closes nodes that were reached.
      if (graph.edges.some(({ role, to }) => role === 'wait' && graph.isFirstJoin(to))) continue;
      const led = new Map<string, number>([[graph.idOf(graph.start), 1]]);
      for (const { index, to } of graph.edges) {
        if (to === END) continue;
        const id = graph.idOf(to);
        led.set(id, (led.get(id) ?? 0) + (overlay.taken[index] ?? 0));
      }
      if (overlay.rerouted && graph.budgetNode !== null) led.set(graph.idOf(graph.budgetNode), 1);
      const reached = [...led].filter(([, count]) => count > 0).map(([id]) => id);
      const finalizers = new Set(graph.finalizers.map((index) => graph.idOf(index)));
      const visited = [...overlay.nodes].flatMap(([id, { visits }]) => (visits > 0 && !finalizers.has(id) ? [id] : []));
      expect([file, reached.sort()]).toEqual([file, visited.sort()]);
    }
  });
});
