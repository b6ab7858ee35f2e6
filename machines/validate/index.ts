import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { effectiveEdgesCooperatively } from '../graph/edges.ts';
import { analyseCooperatively } from '../graph/index.ts';
import { normaliseLeniently } from '../ir/normalise.ts';
import type { Workflow } from '../ir/workflow.ts';
import { Problems } from '../reading/problems.ts';
import { reservedDocumentLabel } from '../reserved-labels.ts';
import { pathOfIllFormedText } from '../unicode.ts';
import { checkExpressions } from './expressions.ts';
import { checkInternalState } from './internal-state.ts';
import { checkLongLife } from './long-life.ts';
import { checkRouting } from './routing.ts';
import { checkThreads } from './threads.ts';

/** Every error and warning about a workflow document. The workflow is null when there is an error. Never throws. */
export function validate(document: unknown): ValidationResult {
  return runToEnd(validateCooperatively(document));
}

interface ValidationResult {
  readonly workflow: Workflow | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** `validate` as a cooperative computation. */
export function* validateCooperatively(document: unknown): Cooperative<ValidationResult> {
  const { workflow, problems } = yield* normaliseLeniently(document);
  if (workflow === null || workflow.nodes.length === 0) return { workflow: null, diagnostics: problems.all };
  if (problems.failed) {
    // Names in edges can be checked in spite of other errors.
    for (const fault of (yield* effectiveEdgesCooperatively(workflow)).diagnostics) problems.add(fault);
    yield;
    const expressions = new Problems();
    yield* checkExpressions(workflow, expressions);
    // Which names there are depends on the whole document.
    for (const fault of expressions.all) if (fault.code !== 'unknown_variable') problems.add(fault);
    return { workflow: null, diagnostics: problems.all };
  }
  yield;
  const illFormed = pathOfIllFormedText(workflow.source);
  if (illFormed !== null) {
    const place = illFormed === '' ? 'the workflow' : illFormed;
    problems.error('bad_text', `${place} has text that is not valid Unicode (an unpaired surrogate)`, { path: illFormed });
  }
  const reserved = reservedDocumentLabel(workflow.labels);
  if (reserved !== undefined) {
    const hint = 'only the runtime sets labels that begin with "jamjet."';
    problems.error('reserved_label', `label ${JSON.stringify(reserved)} is reserved`, { path: 'labels', hint });
  }
  yield;
  const { graph, diagnostics } = yield* analyseCooperatively(workflow);
  for (const fault of diagnostics) problems.add(fault);
  yield* checkRouting(workflow, graph, problems);
  checkInternalState(workflow, problems);
  checkThreads(workflow, problems);
  checkLongLife(workflow, graph, problems);
  yield;
  yield* checkExpressions(workflow, problems);
  return { workflow: problems.failed ? null : workflow, diagnostics: problems.all };
}
