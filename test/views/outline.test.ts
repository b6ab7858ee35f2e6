import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { JsonObject } from '../../machines/json.ts';
import { programOf } from '../../src/diagrams/draw.ts';
import { LiveOutline, outlineOf } from '../../src/views/outline.ts';
import { goldenNames, readGolden } from '../support/golden.ts';
import { approval, condition, document, documents, join, parallel, tool, wait } from '../support/workflows.ts';

function outline(source: JsonObject): readonly string[] {
  return outlineOf(programOf(source)).map(
    ({ node, depth, branch: way, loop }) => `${'  '.repeat(depth)}${loop ? '↺ ' : ''}${node}${way === '' ? '' : ` (${way})`}`,
  );
}

describe('an outline', () => {
  it('keeps a chain on one level, in its order, whatever order it was written in', () => {
    const source = document(
      [tool('a'), tool('c'), tool('b')],
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
    );
    expect(outline(source)).toEqual(['a', 'b', 'c']);
  });

  it('indents branches under what starts them, and takes up the level where they meet', () => {
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

  it('says why a way is taken', () => {
    const source = document([condition('size', ['state.n > 9', 'big'], [null, 'small']), tool('big'), tool('small')], []);
    expect(outline(source)).toEqual(['size', '  big (state.n > 9)', '  small (else)']);
  });

  it('goes straight on where only failures and time-outs lead elsewhere', () => {
    const source = document(
      [wait('paid', { timeout_secs: 5, on_timeout: 'give_up' }), tool('ship'), tool('give_up'), tool('thank')],
      [
        ['paid', 'ship'],
        ['ship', 'thank'],
      ],
    );
    expect(outline(source)).toEqual(['paid', '  give_up (on timeout)', 'ship', 'thank']);
  });

  it('joins the reasons where several lead to one node', () => {
    const source = document([
      approval('review', { timeout_secs: 5, on_approved: 'pay', on_rejected: 'tell', on_timeout: 'tell' }),
      tool('pay'),
      tool('tell'),
    ]);
    expect(outline(source)).toEqual(['review', '  pay (approved)', '  tell (rejected · on timeout)']);
  });

  it('marks where a loop begins', () => {
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

  it('shows every node once, and after all that lead to it but for loops', () => {
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

  it('does not mind a chain of thousands', () => {
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

describe('a live outline', () => {
  it.each(goldenNames())('takes the log of %s', (name) => {
    const golden = readGolden(name);
    if (golden === null || !('events' in golden)) return;
    const live = new LiveOutline(golden.document);
    for (const { at_ms, ...event } of golden.events) live.apply({ ...event, created_at: new Date(at_ms).toISOString() });
    const nodes = new Set(live.rows.map(({ node }) => node));
    for (const node of live.marks.nodes.keys()) expect(nodes).toContain(node);
    expect(live.marks.sequence).toBe(golden.events.at(-1)?.sequence);
  });
});

function valid(source: JsonObject) {
  try {
    return programOf(source);
  } catch (error) {
    if (error instanceof InvalidWorkflow) return null;
    throw error;
  }
}
