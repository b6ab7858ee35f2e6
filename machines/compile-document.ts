import { compile } from './compile/index.ts';
import { normalise } from './ir/normalise.ts';
import { revisionOf } from './revision.ts';
import type { Program } from './step/program.ts';

/** Compiles a workflow document in any accepted spelling. Throws `InvalidWorkflow`. */
export function compileDocument(document: unknown): Program {
  const { workflow } = normalise(document);
  return compile(workflow, revisionOf(workflow));
}
