import { describe, expect, it } from 'vitest';
import { compileCooperatively } from '../../../machines/compile/index.ts';
import type { JsonObject } from '../../../machines/json.ts';
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

function* validateAndCompile(document: JsonObject) {
  const { workflow } = yield* validateCooperatively(document);
  if (workflow === null) throw new Error('the workflow is not valid');
  yield;
  yield* compileCooperatively(workflow, 'r');
}

describe('validating and compiling a condition with thousands of branches', () => {
  it.each([1, 4_900])('is done in pieces, each a small part of the whole, with %i targets', (targets) => {
    let [longest, total] = [0, 0];
    const computation = validateAndCompile(choosing(targets));
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
