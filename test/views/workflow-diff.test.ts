import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { isSameWorkflow, workflowDiff } from '../../src/views/workflow-diff.ts';

const DOCUMENT: JsonObject = {
  workflow_id: 'w',
  version: '1',
  nodes: { a: { kind: { type: 'tool', tool_ref: 'x' } }, b: { kind: { type: 'wait', timeout_secs: 5 } } },
  edges: [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'end' },
  ],
};

describe('workflowDiff', () => {
  it('finds nothing between equal documents, whether nodes are a map or a list', () => {
    const listed = {
      ...DOCUMENT,
      nodes: [
        { id: 'a', kind: { type: 'tool', tool_ref: 'x' } },
        { id: 'b', kind: { type: 'wait', timeout_secs: 5 } },
      ],
    };
    expect(isSameWorkflow(workflowDiff(DOCUMENT, DOCUMENT))).toBe(true);
    expect(isSameWorkflow(workflowDiff(DOCUMENT, listed))).toBe(true);
  });

  it('tells added, removed and changed nodes apart, with their kinds', () => {
    const after = { ...DOCUMENT, nodes: { a: { kind: { type: 'tool', tool_ref: 'y' } }, c: { kind: { type: 'model' } } } };
    expect(workflowDiff(DOCUMENT, after).nodes).toEqual([
      { id: 'b', change: 'removed', kind: 'wait', changes: [] },
      { id: 'a', change: 'changed', kind: 'tool', changes: [{ op: 'replace', path: '/kind/tool_ref', old: 'x', value: 'y' }] },
      { id: 'c', change: 'added', kind: 'model', changes: [] },
    ]);
  });

  it('compares edges as a set in which the same edge may be twice', () => {
    const after = {
      ...DOCUMENT,
      edges: [
        { to: 'end', from: 'b' },
        { from: 'a', to: 'end', condition: 'state.ok' },
      ],
    };
    const { edges } = workflowDiff(DOCUMENT, after);
    expect(edges).toEqual({ removed: [{ from: 'a', to: 'b' }], added: [{ from: 'a', to: 'end', condition: 'state.ok' }] });
    const twice = {
      ...DOCUMENT,
      edges: [
        { from: 'a', to: 'b' },
        { from: 'a', to: 'b' },
        { from: 'b', to: 'end' },
      ],
    };
    expect(workflowDiff(DOCUMENT, twice).edges).toEqual({ removed: [], added: [{ from: 'a', to: 'b' }] });
  });

  it('reports another order of the same nodes, and changes of other keys', () => {
    const nodes = DOCUMENT.nodes as JsonObject;
    const after = { ...DOCUMENT, version: '2', nodes: { b: nodes.b ?? null, a: nodes.a ?? null } };
    const diff = workflowDiff(DOCUMENT, after);
    expect(diff).toMatchObject({ nodes: [], reordered: true, settings: [{ op: 'replace', path: '/version' }] });
    expect(isSameWorkflow(diff)).toBe(false);
  });
});
