import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Program } from '../../../machines/step/program.ts';
import { analyse } from '../../support/analyse.ts';
import { sampleOf } from '../../support/properties.ts';
import { documents } from '../../support/workflows.ts';
import { problems } from './real-tools.ts';

const HOW_MANY = sampleOf(60);

/** The machine of a random document; null if the document is refused. */
function programOf(document: unknown): Program | null {
  const { workflow } = normalise(document);
  if (analyse(workflow).graph === null) return null;
  try {
    return compile(workflow, 'r');
  } catch (error) {
    if (error instanceof InvalidWorkflow) return null;
    throw error;
  }
}

// Mermaid reads a diagram in tens of milliseconds, and a busy machine takes its time.
it(`exports ${HOW_MANY} random workflows so that Mermaid, Graphviz and XState read them`, async () => {
  const programs = fc.sample(documents(8), { numRuns: 10 * HOW_MANY }).flatMap((document) => programOf(document) ?? []);
  expect(programs.length).toBeGreaterThanOrEqual(HOW_MANY);
  for (const program of programs.slice(0, HOW_MANY))
    expect([program.workflow.source, await problems(program, null)]).toEqual([program.workflow.source, {}]);
});
