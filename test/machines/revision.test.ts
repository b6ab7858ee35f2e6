import { describe, expect, it } from 'vitest';
import { normalise } from '../../machines/ir/normalise.ts';
import type { JsonObject } from '../../machines/json.ts';
import { revisionOf } from '../../machines/revision.ts';

const work: JsonObject = { kind: { type: 'tool', tool_ref: 't' } };
const revision = (document: JsonObject): string => revisionOf(normalise(document).workflow);
const document: JsonObject = { workflow_id: 'w', version: '1', nodes: { a: work, b: work }, edges: [{ from: 'a', to: 'b' }] };

describe('the revision of a workflow', () => {
  it('is a SHA-256', () => {
    expect(revision(document)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is the same for the same content, regardless of the order of keys', () => {
    const { workflow_id, version, nodes, edges } = document;
    expect(revision({ edges: [{ to: 'b', from: 'a' }], nodes, version, workflow_id } as JsonObject)).toBe(revision(document));
    expect(edges).toEqual(document.edges);
  });

  it.each<[string, JsonObject]>([
    ['a node', { nodes: { a: work, b: work, c: work } }],
    ['the order of nodes', { nodes: { b: work, a: work } }],
    ['an edge', { edges: [] }],
    ['the version', { version: '2' }],
    ['an unknown key', { team: 'payments' }],
  ])('changes with %s', (_name, change) => {
    expect(revision({ ...document, ...change })).not.toBe(revision(document));
  });

  it('accepts text that is not valid Unicode', () => {
    expect(revision({ ...document, name: '\ud800' })).toMatch(/^[0-9a-f]{64}$/);
  });
});
