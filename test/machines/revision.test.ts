import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import { canonicalJson, type Json, type JsonObject } from '../../machines/json.ts';
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

  it('is that of the canonical JSON of its nodes and its source, however it is divided', () => {
    const json = fc.jsonValue({ maxDepth: 8 }).map((value) => value as Json);
    const keyed = fc.dictionary(fc.oneof(fc.string(), fc.nat(20).map(String)), json, { noNullPrototype: true });
    fc.assert(
      fc.property(keyed, (given) => {
        // JSON has no negative zero, and no key `__proto__`.
        const source = JSON.parse(JSON.stringify(given)) as JsonObject;
        const workflow = { nodes: [{ id: 'é' }, { id: 'b' }], source } as unknown as Workflow;
        const digest = hash('sha256', canonicalJson([['é', 'b'], source]), 'hex');
        expect(revisionOf(workflow)).toBe(digest);
      }),
    );
  });

  it('accepts text that is not valid Unicode', () => {
    expect(revision({ ...document, name: '\ud800' })).toMatch(/^[0-9a-f]{64}$/);
  });
});
