import type { Json, JsonObject } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { definitionOf, type Kind } from '../../nodes/index.ts';
import type { StepEnv } from '../../run.ts';
import type { ActiveVisit } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import { joinInput } from './joins.ts';
import { itemNames, itemOf, renderInput } from './templates.ts';

/** Fields of `node_started` that say what the attempt was given. */
export const RECORDED_INPUT_FIELDS = ['input', 'input_from', 'input_omitted'] as const;

/** A state that is the whole input is copied up to this size. A larger one would make each event as large as the state. */
const MAX_STATE_CHARS = 8_192;
/** A list of the state that a mapping takes whole is copied up to this size. */
const MAX_LIST_CHARS = 1_024;

/** Logs that an attempt starts: in this process, or at the worker that claimed it. */
export function addAttemptStart(
  step: StepContext,
  node: string,
  workerId: string,
  { attempt, activation }: ActiveVisit,
  item?: number,
): void {
  const data = { worker_id: workerId, attempt, activation, ...recordedInput(step, node, item) };
  step.addEvent('node_started', node, item === undefined ? data : Object.assign(data, { item }));
}

/**
 * What `node_started` says about the input of the attempt: `input`, the input itself; `input_from: "state"`, the state as it is at this
 * event, too large to be repeated; `input_omitted: true`, an input beyond what one step may evaluate or record. Values of `env` are never
 * recorded, only their names; so are lists of the state that are taken whole: the messages of a conversation would be recorded at every turn. A
 * prompt that the data policy does not retain is not recorded either.
 */
function recordedInput(step: StepContext, node: string, item: number | undefined): JsonObject {
  const { env, tables, inputAllowance } = step;
  if (env === null || env.recordInputs === false) return {};
  // A durable function that goes on is given what it was given when it began.
  if ((step.now.active.get(node)?.journal?.size ?? 0) > 0) return {};
  const { kind } = tables.nodeOf(node);
  const continued = continuedInput(step, node);
  if (tables.dataRules?.retainsPrompt(node) === false && isPrompt(kind)) return { input_omitted: true };
  const { state } = step.now;
  const recorded = (input: Json, size?: number): JsonObject =>
    inputAllowance.take(input, size) ? { input } : { input_omitted: true };
  if (continued !== undefined) return recorded(continued);
  const template = tables.template(step.indexOf(node));
  if (definitionOf(kind).joins(kind) === null && template !== null) {
    const named = { executionId: env.executionId, vars: namesOf(env.vars) };
    const names = item === undefined ? undefined : itemNames(tables, step.now, node, item);
    const { value, exceeded } = renderInput(tables, step.now, node, template, named, inputAllowance.budget, {
      maxListChars: MAX_LIST_CHARS,
      names,
    });
    return exceeded === undefined ? recorded(value) : { input_omitted: true };
  }
  if (item !== undefined) return recorded(itemOf(step.now, node, item));
  const size = charsUpTo(state, MAX_STATE_CHARS);
  const isSmall = size <= MAX_STATE_CHARS;
  if (definitionOf(kind).joins(kind) === null) return isSmall ? recorded(state, size) : { input_from: 'state' };
  const { outputs, by_source } = joinInput(step, node);
  return recorded({ outputs, by_source, ...(isSmall ? { state } : {}) });
}

/** What the durable function is given because it continues one of another execution; undefined = it continues none. */
export function continuedInput({ now }: StepContext, node: string): Json | undefined {
  const { journal } = now.active.get(node) ?? {};
  if (journal !== undefined) return journal.input;
  return now.continuedInput?.node === node ? now.continuedInput.input : undefined;
}

function isPrompt(kind: Kind): boolean {
  return definitionOf(kind).inputIsPrompt && definitionOf(kind).models(kind).length > 0;
}

/** Each value replaced by the expression for it. */
function namesOf(vars: StepEnv['vars']): StepEnv['vars'] {
  const names = Object.keys(vars);
  return names.length === 0 ? vars : Object.fromEntries(names.map((name) => [name, `{{ env.${name} }}`]));
}
