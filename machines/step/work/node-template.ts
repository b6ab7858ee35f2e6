import { render, type Template } from '../../expression/template.ts';
import type { Json } from '../../json.ts';
import type { StepContext } from '../context/step-context.ts';
import type { FailEvent } from '../machine-event.ts';
import { executionFacts } from './input.ts';

/**
 * Renders a template of a node that begins, in the language of the execution. `what` names the template in diagnostics. Undefined = the
 * evaluation budget does not suffice: the node has exceeded it.
 */
export function renderAtNode(
  step: StepContext,
  node: string,
  template: Template,
  executionId: string,
  what: string,
): Json | undefined {
  const { evaluation } = step;
  const { state, input, env } = step.now;
  const facts = executionFacts(step.tables.workflow, executionId, node);
  const scope = {
    state,
    output: step.inputs.last(node),
    outputKey: step.inputs.lastKey(node),
    input,
    env,
    facts,
  };
  const { value, errors, exceeded } = render(template, scope, evaluation.budget);
  if (exceeded !== undefined) {
    evaluation.noteExceeded(node, exceeded);
    return undefined;
  }
  evaluation.diagnostics.push(...errors.map((error) => `${what} of node "${node}": ${error}`));
  return value;
}

/** The failure of a node whose expressions exceed the evaluation budget of the step. */
export function budgetFailure(step: StepContext, node: string): FailEvent {
  return { type: 'fail', node, ...step.evaluation.failureOf(node), retryable: false, delayMs: 0 };
}
