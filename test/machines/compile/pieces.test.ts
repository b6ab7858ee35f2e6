import { describe, expect, it } from 'vitest';
import { compileCooperatively } from '../../../machines/compile/index.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { revisionCooperatively } from '../../../machines/revision.ts';
import { validateCooperatively } from '../../../machines/validate/index.ts';

const BRANCHES = 15_000;

/** A condition with as many branches as a document may have. */
function choosing(targets: number): JsonObject {
  const tool = { kind: { type: 'tool', tool_ref: 'work' } };
  const branches = Array.from({ length: BRANCHES }, (_, i) => ({ condition: `state.x == ${i}`, target: `t${i % targets}` }));
  const nodes = Object.fromEntries(Array.from({ length: targets }, (_, i) => [`t${i}`, tool]));
  return {
    workflow_id: 'w',
    version: '1',
    start_node: 'c',
    nodes: { c: { kind: { type: 'condition', branches } }, ...nodes },
    edges: [],
  };
}

/** Nodes with long templates that a step renders. */
function asking(): JsonObject {
  const description = Array.from({ length: 150 }, (_, i) => `{{ state.a${i} + ${i} }}`).join(' ');
  const ids = Array.from({ length: 300 }, (_, i) => `n${i}`);
  return {
    workflow_id: 'w',
    version: '1',
    nodes: Object.fromEntries(ids.map((id, i) => [id, { kind: { type: 'human_approval', description: `${i} ${description}` } }])),
    edges: ids.slice(1).map((to, i) => ({ from: `n${i}`, to })),
  };
}

function* validateAndCompile(document: JsonObject) {
  const { workflow } = yield* validateCooperatively(document);
  if (workflow === null) throw new Error('the workflow is not valid');
  yield;
  yield* compileCooperatively(workflow, yield* revisionCooperatively(workflow));
}

describe('validating and compiling', () => {
  it.each<[string, () => JsonObject]>([
    ['a condition with thousands of branches to one target', () => choosing(1)],
    ['a condition with thousands of branches to as many targets', () => choosing(4_900)],
    ['nodes with long templates', asking],
  ])('%s is done in pieces, each a small part of the whole', (_, documentOf) => {
    let [longest, total] = [0, 0];
    const computation = validateAndCompile(documentOf());
    for (let done = false; !done; ) {
      const before = process.cpuUsage();
      done = computation.next().done === true;
      const { user, system } = process.cpuUsage(before);
      longest = Math.max(longest, user + system);
      total += user + system;
    }
    expect(longest / total).toBeLessThan(0.15);
  });
});
