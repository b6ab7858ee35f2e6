import { describe, expect, it } from 'vitest';
import { compileDocument } from '../../machines/compile-document.ts';
import type { HistoryEvent } from '../../machines/history/event.ts';
import type { NodeOverlay } from '../../machines/views/execution-overlay.ts';
import { OverlayBuilder } from '../../machines/views/overlay-builder.ts';
import { workflowDiagram } from '../../machines/views/workflow-diagram.ts';
import { graphOf, LiveGraph } from '../../src/views/graph.ts';
import { type Golden, goldenNames, historyEvents, readGolden } from '../support/golden.ts';

const tool = (id: string) => ({ id, kind: { type: 'tool', tool_ref: id } });

/** A chain of nodes: n0 → n1 → … */
const chain = (length: number) => ({
  workflow_id: 'chain',
  version: '1',
  state_schema: {},
  start_node: 'n0',
  nodes: Object.fromEntries(Array.from({ length }, (_, i) => [`n${i}`, tool(`n${i}`)])),
  edges: Array.from({ length: length - 1 }, (_, i) => ({ from: `n${i}`, to: `n${i + 1}` })),
});

const event = (sequence: number, node_id: string | null, type: string, data = {}): HistoryEvent => ({
  sequence,
  type,
  node_id,
  created_at: new Date(sequence).toISOString(),
  data: node_id === null ? data : { activation: 1, ...data },
});

describe('graphOf', () => {
  it('has nodes with kind, letter and detail, a start, an end, and edges with labels', () => {
    const { title, nodes, edges } = graphOf({
      workflow_id: 'order',
      version: '2',
      start_node: 'review',
      nodes: {
        review: { id: 'review', kind: { type: 'human_approval', on_rejected: 'end' } },
        pay: { id: 'pay', kind: { type: 'tool', tool_ref: 'charge' } },
      },
      edges: [{ from: 'review', to: 'pay', condition: 'state.amount > 10' }],
    });
    expect(title).toBe('order');
    expect(nodes.map(({ node, kind, title: name, detail }) => [node, kind, name, detail])).toEqual([
      [null, null, 'start', ''],
      ['review', 'human_approval', 'review', expect.any(String)],
      ['pay', 'tool', 'pay', 'charge'],
      [null, null, 'end', ''],
    ]);
    expect(nodes[2]).toMatchObject({ letter: expect.stringMatching(/./), definition: { id: 'pay', kind: { type: 'tool' } } });
    const nameOf = new Map(nodes.map(({ id, title: name }) => [id, name]));
    expect(edges.map(({ from, to, label }) => [nameOf.get(from), nameOf.get(to), label])).toEqual([
      ['start', 'review', ''],
      ['review', 'pay', 'state.amount > 10'],
      ['review', 'end', 'rejected'],
      ['pay', 'end', ''],
    ]);
    expect(new Set(edges.map(({ id }) => id)).size).toBe(edges.length);
  });

  it('keeps hostile names out of its ids', () => {
    const id = '<script>"\u202e';
    const { nodes } = graphOf({ workflow_id: 'x', version: '1', start_node: id, nodes: { [id]: tool(id) }, edges: [] });
    expect(nodes.map((node) => node.id).join()).toMatch(/^[\w,]+$/);
    expect(nodes.map(({ node }) => node)).toContain(id);
  });
});

describe('LiveGraph', () => {
  it('changes only what an event changes', () => {
    const live = new LiveGraph(chain(300));
    live.apply(event(1, null, 'workflow_started', { initial_input: {} }));
    live.apply(event(2, 'n0', 'node_scheduled', { attempt: 0 }));
    live.takeChanges();
    live.apply(event(3, 'n0', 'node_started', { attempt: 0 }));
    const n0 = live.idOf('n0') ?? '';
    const running = live.overlayOf(n0);
    expect(running).toMatchObject({ status: 'active', visits: 1 });
    expect(live.takeChanges()).toEqual({ nodes: new Set([n0]), edges: new Set() });
    live.apply(event(4, 'n0', 'node_completed', { output: {}, taken: ['n1'] }));
    const [taken] = [...live.takeChanges().edges];
    expect(live.graph.edges.find(({ id }) => id === taken)).toMatchObject({ from: n0, to: live.idOf('n1') });
    expect(live.timesTaken(taken ?? '')).toBe(1);
    live.apply(event(5, 'n1', 'node_scheduled', { attempt: 0 }));
    expect(live.takeChanges().nodes).toEqual(new Set([live.idOf('n1')]));
    expect(live.overlayOf(n0)).toBe(live.overlayOf(n0));
  });

  it.each(goldenNames())('shows at each event of the log %s what a diagram of that moment shows', (name) => {
    const { document, events } = readGolden(name) as Golden;
    const program = compileDocument(document);
    const builder = new OverlayBuilder(program);
    const live = new LiveGraph(document);
    const seen = new Map<string, NodeOverlay | null>();
    for (const event of historyEvents(events)) {
      builder.apply(event);
      live.apply(event);
      const { overlay } = builder;
      const diagram = workflowDiagram(program, { id: null, overlay, transitions: null });
      expect(live).toMatchObject({ status: overlay.status, suspended: overlay.suspended, sequence: overlay.sequence });
      const { nodes } = live.takeChanges();
      for (const { key, overlay: drawn } of diagram.nodes) {
        const shown = live.overlayOf(key);
        expect(shown).toEqual(drawn);
        if (!nodes.has(key)) expect(shown).toBe(seen.get(key) ?? null);
        seen.set(key, shown);
      }
      const taken = diagram.edges.map((edge) => edge.taken ?? 0);
      expect(live.graph.edges.map(({ id }) => live.timesTaken(id))).toEqual(taken);
    }
  });
});
