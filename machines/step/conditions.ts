import { forwardsInput } from '../compile/output-use.ts';
import { truthy } from '../expression/values.ts';
import type { Json, JsonObject } from '../json.ts';
import { languageOf } from './context.ts';
import type { StepContext } from './step-context.ts';

/**
 * Chooses the transition of a node that is about to complete: evaluates its conditions, up to the first that holds, on the state and output
 * that the completion will leave. False = the evaluation budget does not suffice.
 */
export function chooseTransition(step: StepContext, node: string, output: Json, state: JsonObject): boolean {
  const { evaluation, tables } = step;
  const held = tables.exclusiveConditions.get(node)?.find((text) => isTrue(step, node, text, output, state));
  evaluation.choose(node, held ?? null);
  return !evaluation.hasExceeded(node);
}

/** Is the condition of a transition out of the node the one to follow? */
export function isChosen(step: StepContext, node: string, condition: string): boolean {
  const chosen = step.evaluation.chosen(node);
  if (chosen !== undefined) return chosen === condition;
  // Condition nodes read what reached them.
  const received = forwardsInput(step.tables.graph, step.indexOf(node)) ? step.lastInput(node) : null;
  return isTrue(step, node, condition, step.outputOf(node) ?? received, step.now.state);
}

function isTrue(step: StepContext, node: string, text: string, output: Json, state: JsonObject): boolean {
  const { input, env } = step.now;
  const scope = { state, output, input, env, language: languageOf(step.now) };
  const { value, error } = step.evaluation.condition(node, step.tables.expression(text), scope);
  return error === undefined && truthy(value);
}
