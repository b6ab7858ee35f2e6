import type { Diagnostic } from './diagnostics.ts';
import { effectiveEdges } from './graph/edges.ts';
import { analysing } from './graph.ts';
import { examining } from './ir/normalise.ts';
import type { Workflow } from './ir/workflow.ts';
import { finished, type Pausing } from './pauses.ts';
import { reservedLabel } from './reserved-labels.ts';
import { illFormedAt } from './text.ts';
import { checkExpressions } from './validate/expressions.ts';
import { checkRoutes } from './validate/routes.ts';

/**
 * Everything there is to say about a workflow document, errors and warnings, in one go. The workflow is null when there is
 * an error. Never throws.
 */
export function validate(document: unknown): Validated {
  return finished(validating(document));
}

interface Validated {
  readonly workflow: Workflow | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Like `validate`, with pauses. */
export function* validating(document: unknown): Pausing<Validated> {
  const { workflow, problems } = yield* examining(document);
  if (workflow === null || workflow.nodes.length === 0) return { workflow: null, diagnostics: problems.all };
  if (problems.failed) {
    // Whatever else is wrong, names in edges can be looked up.
    for (const fault of effectiveEdges(workflow).diagnostics) problems.note(fault);
    return { workflow: null, diagnostics: problems.all };
  }
  const illFormed = illFormedAt(workflow.source);
  if (illFormed !== null) {
    const place = illFormed === '' ? 'the workflow' : illFormed;
    problems.error('bad_text', `${place} has text that is not valid Unicode (an unpaired surrogate)`, { path: illFormed });
  }
  const reserved = reservedLabel(workflow.labels);
  if (reserved !== undefined) {
    const hint = 'only the runtime sets labels that begin with jamjet.';
    problems.error('reserved_label', `label ${JSON.stringify(reserved)} is reserved`, { path: 'labels', hint });
  }
  yield;
  const { graph, diagnostics } = yield* analysing(workflow);
  for (const fault of diagnostics) problems.note(fault);
  checkRoutes(workflow, graph, problems);
  yield;
  yield* checkExpressions(workflow, problems);
  return { workflow: problems.failed ? null : workflow, diagnostics: problems.all };
}
