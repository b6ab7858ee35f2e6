import type { Diagnostic } from './diagnostics.ts';
import { analyse } from './graph.ts';
import { examine } from './ir/normalise.ts';
import { Problems } from './ir/problems.ts';
import type { Workflow } from './ir/workflow.ts';
import { checkExpressions } from './validate/expressions.ts';
import { checkRoutes } from './validate/routes.ts';

/** Errors that hold whatever else is wrong: the names in edges are looked at even when a node could not be read. */
const ABOUT_NAMES: ReadonlySet<string> = new Set(['unknown_source', 'unknown_target', 'unknown_start']);

/**
 * Everything there is to say about a workflow document, errors and warnings, in one go. The workflow is null when there is
 * an error. Never throws.
 */
export function validate(document: unknown): { workflow: Workflow | null; diagnostics: readonly Diagnostic[] } {
  const { workflow, problems } = examine(document);
  if (workflow === null || workflow.nodes.length === 0) return { workflow: null, diagnostics: problems.all };
  const { graph, diagnostics: faults } = analyse(workflow);
  if (problems.failed) {
    const names = faults.filter((fault) => ABOUT_NAMES.has(fault.code));
    return { workflow: null, diagnostics: [...problems.all, ...names] };
  }
  const found = new Problems();
  checkRoutes(workflow, graph, found);
  checkExpressions(workflow, found);
  return { workflow: graph === null || found.failed ? null : workflow, diagnostics: [...problems.all, ...faults, ...found.all] };
}
