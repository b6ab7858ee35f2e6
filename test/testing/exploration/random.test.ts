import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import { branchInputsOf } from '../../../src/testing/exploration/branch-inputs.ts';
import { explore } from '../../../src/testing/exploration/explore.ts';
import { findingsOf } from '../../../src/testing/exploration/findings.ts';
import { possibleSteps } from '../../../src/testing/exploration/next-steps.ts';
import { pathsOf } from '../../../src/testing/exploration/paths.ts';
import { Branches } from '../../../src/testing/simulation/branches.ts';
import { hasEnded, type SimStep, type SimWorkflow, startRun } from '../../../src/testing/simulation/simulation.ts';
import { analyse } from '../../support/analyse.ts';
import { sampleOf } from '../../support/properties.ts';
import { documents } from '../../support/workflows.ts';

function simWorkflow(json: unknown): SimWorkflow {
  const { workflow } = normalise(json);
  fc.pre(analyse(workflow).graph !== null);
  const program = compile(workflow, '');
  return { program, branches: new Branches(program), env: {} };
}

describe('exploring random workflows', () => {
  it('never finds a dead end, and ends every run or reaches a bound', () => {
    fc.assert(
      fc.property(documents(8), (json) => {
        const workflow = simWorkflow(json);
        const branchInputs = branchInputsOf(workflow.program, workflow.branches);
        const explored = explore([workflow], branchInputs, 150);
        const findings = findingsOf(workflow, branchInputs, explored, new Set());
        expect(findings.filter(({ code }) => code === 'dead_end')).toEqual([]);
        for (const { status } of pathsOf(explored, 100).paths)
          expect(['completed', 'failed', 'limit_exceeded']).toContain(status);
      }),
      { numRuns: sampleOf(60) },
    );
  });

  it('reports the branch of every ended visit, consistent with the next nodes', () => {
    fc.assert(
      fc.property(documents(8), fc.array(fc.nat(99), { minLength: 1, maxLength: 20 }), (json, rolls) => {
        const workflow = simWorkflow(json);
        const branchInputs = branchInputsOf(workflow.program, workflow.branches);
        let step: SimStep | undefined = startRun(workflow, {});
        const taken = new Set<string>();
        for (const roll of rolls) {
          if (step === undefined) break;
          const ended = step.events.filter(({ type, data }) => {
            return type === 'node_completed' || (type === 'node_failed' && data.retryable === false);
          });
          expect(step.branches.map(({ node }) => node)).toEqual(ended.map(({ node_id }) => node_id));
          for (const { targets } of step.branches) for (const target of targets) taken.add(target);
          for (const { type, node_id } of step.events) {
            const began = type === 'node_scheduled' || type === 'interrupt_raised';
            // A join may wait for nodes without an edge to it.
            const isJoin = node_id !== null && workflow.program.tables.nodeOf(node_id).kind.type === 'join';
            if (began && !isJoin && node_id !== workflow.program.workflow.start_node) expect([...taken]).toContain(node_id);
          }
          if (hasEnded(step.state)) break;
          const next = possibleSteps(workflow, branchInputs, step.state);
          step = next[roll % next.length]?.step;
        }
      }),
      { numRuns: sampleOf(150) },
    );
  });
});
