import { truthy } from '../../expression/values.ts';
import { END } from '../../graph/edges.ts';
import type { Json, JsonObject } from '../../json.ts';
import { definitionOf } from '../../nodes/index.ts';
import type { StepContext } from '../context/step-context.ts';
import { guardedState } from './budgets.ts';

/** Longer texts, lists and objects are logged as true or false. */
const MAX_LOGGED_TEXT = 100;

/** What conditions read as `output`. */
interface NodeOutput {
  readonly output: Json;
  /** The state key that it was written to as well; null = none. */
  readonly key: string | null;
}

/**
 * Chooses the transition of a node that is about to complete: evaluates its conditions, up to the first that holds, on the state and output
 * that the completion will leave. False = the evaluation budget does not suffice.
 */
export function chooseTransition(step: StepContext, node: string, given: NodeOutput, state: JsonObject): boolean {
  const { evaluation, tables } = step;
  const { input, env } = step.now;
  const { output, key: outputKey } = given;
  const scope = { state: guardedState(step, state), output, outputKey, input, env };
  const evaluated: JsonObject[] = [];
  let chosen: string | null = null;
  for (const { when, live } of tables.choices.get(node) ?? []) {
    if (when === null || chosen !== null) continue;
    const { value, error, exceeded } = evaluation.condition(node, tables.expression(when), scope);
    const target = live[0] === undefined || live[0].to === END ? 'end' : tables.graph.idOf(live[0].to);
    const problem = exceeded === true ? 'evaluation budget exceeded' : error;
    evaluated.push({ target, condition: when, ...(problem === undefined ? { value: loggedValue(value) } : { problem }) });
    if (problem === undefined && truthy(value)) chosen = when;
    if (evaluation.hasExceeded(node)) break;
  }
  evaluation.choose(node, chosen, evaluated);
  return !evaluation.hasExceeded(node);
}

/** Is the condition of a transition out of the node the one that holds? Condition nodes choose when the first of their conditions is asked for. */
export function isChosen(step: StepContext, node: string, condition: string): boolean {
  const { graph, choices } = step.tables;
  const { kind } = graph.node(step.indexOf(node));
  if (definitionOf(kind).branching === 'choice' && choices.get(node)?.[0]?.when === condition)
    chooseTransition(step, node, { output: step.inputs.last(node), key: step.inputs.lastKey(node) }, step.now.state);
  return step.evaluation.chosen(node) === condition;
}

/** The condition that held, from the data of the event that ended the visit; null = none. */
export function heldCondition({ evaluated }: JsonObject): string | null {
  const last = Array.isArray(evaluated) ? (evaluated as readonly JsonObject[]).at(-1) : undefined;
  return last !== undefined && truthy(last.value ?? null) ? String(last.condition) : null;
}

function loggedValue(value: Json): Json {
  const isShort = typeof value === 'string' ? value.length <= MAX_LOGGED_TEXT : typeof value !== 'object' || value === null;
  return isShort ? value : truthy(value);
}
