import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDocument } from '../../machines/compile-document.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { JsonObject } from '../../machines/json.ts';
import { LiveModel } from '../../src/views/live-model.ts';
import { outlineOf } from '../../src/views/outline.ts';
import { goldenNames, historyEvents, readGolden } from '../support/golden.ts';
import { approval, condition, document, documents, join, parallel, tool, wait } from '../support/workflows.ts';

function outline(source: JsonObject): readonly string[] {
  return outlineOf(compileDocument(source)).map(
    ({ node, depth, branch, loop }) => `${'  '.repeat(depth)}${loop ? '↺ ' : ''}${node}${branch === '' ? '' : ` (${branch})`}`,
  );
}

describe('an outline', () => {
  it('lists a chain on one level in execution order, whatever the order in the document', () => {
    const source = document(
      [tool('a'), tool('c'), tool('b')],
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
    );
    expect(outline(source)).toEqual(['a', 'b', 'c']);
  });

  it('indents branches, and returns to the outer level where they meet', () => {
    const source = document(
      [parallel('split', ['x', 'y']), tool('x'), tool('x2'), tool('y'), join('meet'), tool('after')],
      [
        ['x', 'x2'],
        ['x2', 'meet'],
        ['y', 'meet'],
        ['meet', 'after'],
      ],
    );
    expect(outline(source)).toEqual(['split', '  x', '  x2', '  y', 'meet', 'after']);
  });

  it('shows the condition of each branch', () => {
    const source = document([condition('size', ['state.n > 9', 'big'], [null, 'small']), tool('big'), tool('small')], []);
    expect(outline(source)).toEqual(['size', '  big (state.n > 9)', '  small (else)']);
  });

  it('does not indent the main successor because of failure and time-out edges', () => {
    const source = document(
      [wait('paid', { timeout_secs: 5, on_timeout: 'give_up' }), tool('ship'), tool('give_up'), tool('thank')],
      [
        ['paid', 'ship'],
        ['ship', 'thank'],
      ],
    );
    expect(outline(source)).toEqual(['paid', '  give_up (on timeout)', 'ship', 'thank']);
  });

  it('joins the conditions of several edges to one node', () => {
    const source = document([
      approval('review', { timeout_secs: 5, on_approved: 'pay', on_rejected: 'tell', on_timeout: 'tell' }),
      tool('pay'),
      tool('tell'),
    ]);
    expect(outline(source)).toEqual(['review', '  pay (approved)', '  tell (rejected · on timeout)']);
  });

  it('marks the start of a loop', () => {
    const source = document(
      [tool('draft'), tool('review'), tool('publish')],
      [
        ['draft', 'review'],
        ['review', 'draft', 'not state.ok'],
        ['review', 'publish'],
      ],
    );
    expect(outline(source)[0]).toBe('↺ draft');
  });

  it('shows every node once, after its predecessors except in loops', () => {
    fc.assert(
      fc.property(documents(12), (source) => {
        const program = valid(source);
        fc.pre(program !== null);
        const at = new Map(outlineOf(program).map(({ node }, i) => [node, i]));
        const { graph } = program.tables;
        expect([...at.keys()].sort()).toEqual(graph.nodes.map(({ id }) => id).sort());
        for (const edge of graph.edges) {
          if (edge.to === -1 || graph.backEdges.has(edge)) continue;
          expect(at.get(graph.idOf(edge.from))).toBeLessThan(at.get(graph.idOf(edge.to)) ?? -1);
        }
      }),
    );
  });

  it('handles a chain of thousands of nodes', () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `n${i}`);
    const edges = names.slice(1).map((name, i) => [`n${i}`, name] as const);
    expect(
      outline(
        document(
          names.map((name) => tool(name)),
          edges,
        ),
      ),
    ).toEqual(names);
  });
});

describe('a live model', () => {
  it.each(goldenNames())('follows the log of %s', (name) => {
    const golden = readGolden(name);
    if (golden === null || !('events' in golden)) return;
    const live = new LiveModel(golden.document);
    for (const event of historyEvents(golden.events)) live.apply(event);
    const nodes = new Set(live.rows.map(({ node }) => node));
    for (const node of live.overlay.nodes.keys()) expect(nodes).toContain(node);
    expect(live.overlay.sequence).toBe(golden.events.at(-1)?.sequence);
  });
});

function valid(source: JsonObject) {
  try {
    return compileDocument(source);
  } catch (error) {
    if (error instanceof InvalidWorkflow) return null;
    throw error;
  }
}
