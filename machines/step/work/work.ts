import type { VisitProgress } from '../../events/index.ts';
import { Budget } from '../../expression/budget.ts';
import { unknownOperationOf } from '../../expression/template.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Visit } from '../../messages.ts';
import { definitionOf, workKindOf } from '../../nodes/index.ts';
import type { Run, StepEnv, Work } from '../../run.ts';
import { type Context, own } from '../context/context.ts';
import { lastInputKeyOf } from '../context/pending-inputs.ts';
import { StepContext } from '../context/step-context.ts';
import type { Program } from '../program.ts';
import { joinInput } from './joins.ts';
import { promptContext } from './prompt-context.ts';
import { itemNames, itemOf, renderInput } from './templates.ts';

const NO_PROGRESS: VisitProgress = {};

/** Is the node's input rendered from a mapping with expressions? */
export function hasInputMapping({ tables }: Program, node: string): boolean {
  return (tables.template(tables.graph.indexOf(node) ?? -1)?.expressions.length ?? 0) > 0;
}

/** Everything that the current attempt of the node, or of one of its items, needs. `budget` is shared by what is rendered together. Throws `TypeError` if the node is not active. */
export function workOf(
  program: Program,
  run: Run,
  { node, item }: Pick<Visit, 'node' | 'item'>,
  env: Pick<StepEnv, 'executionId' | 'vars'>,
  budget: Budget = new Budget(),
): Work {
  const { tables, workflow } = program;
  const context = run.snapshot.context as Context;
  const active = context.active.get(node, item);
  if (active === undefined) throw new TypeError(`node ${node} is not active`);
  const definition = tables.nodeOf(node);
  const { retry, timeout_secs } = definition;
  const kind = workKindOf(definition.kind);
  const { dataRules } = tables;
  const forModels =
    dataRules !== null && definitionOf(kind).models(kind).length > 0 ? promptContext(dataRules, tables, context, node) : null;
  const given = forModels !== null && definitionOf(kind).inputIsPrompt ? forModels : { context, redactor: null };
  const { journal = null } = active;
  // What a durable function is given stays the same, however often it runs.
  const from = journal === null ? given.context : Object.assign({}, given.context, { state: journal.state });
  const { state } = from;
  const template = tables.template(tables.graph.indexOf(node) ?? -1);
  let input: Work['input'] = item === undefined ? state : itemOf(given.context, node, item);
  let inputErrors: readonly string[] = [];
  let inputExceeded: string | undefined;
  let inputUnknown: string | undefined;
  if (journal?.input !== undefined) input = journal.input;
  else if (definitionOf(kind).joins(kind) !== null) {
    const { outputs, by_source } = joinInput(new StepContext(tables, context, run.seq, null), node);
    input = { outputs, by_source, state };
  } else if (template !== null) {
    const names = item === undefined ? undefined : itemNames(tables, given.context, node, item);
    const rendered = renderInput(tables, from, node, template, env, budget, { names });
    ({ errors: inputErrors, exceeded: inputExceeded } = rendered);
    if (inputErrors.length > 0) inputUnknown = unknownOperationOf(template);
    input = given.redactor?.json(rendered.value) ?? rendered.value;
    if (given.redactor !== null && inputErrors.length === 0 && threadIn(input) !== undefined) {
      const { value } = renderInput(tables, context, node, template, env, budget, { names });
      if (threadIn(value) !== threadIn(input)) inputErrors = ['thread: the id is personal data by the data policy'];
    }
  }
  const payload: Record<string, Json> = {
    workflow_id: workflow.workflow_id,
    workflow_version: workflow.version,
    node_id: node,
    kind: kind as unknown as JsonObject,
    input,
    ...(inputErrors.length === 0 ? {} : { input_errors: inputErrors }),
    state,
    ...definitionOf(kind).payload(kind, input),
  };
  if (tables.scorings.has(node))
    Object.assign(payload, measuresOf(context, node), { preceding_output_key: lastInputKeyOf(tables, context, node) });
  const work: { -readonly [K in keyof Work]: Work[K] } = {
    node,
    activation: active.activation,
    attempt: active.attempt,
    item,
    maxAttempts: retry.max_attempts,
    timeoutSecs: timeout_secs,
    input,
    inputErrors,
    progress: active.progress ?? NO_PROGRESS,
    state,
    payload,
  };
  if (journal !== null) work.journal = journal;
  if (inputExceeded !== undefined) work.inputExceeded = inputExceeded;
  if (inputUnknown !== undefined) work.inputUnknown = inputUnknown;
  if (forModels !== null && given !== forModels) work.forModels = (value) => forModels.redactor.json(value);
  return work;
}

/** Redacted ids of several threads could be the same. */
function threadIn(input: Json): Json | undefined {
  return isObject(input) ? input.thread : undefined;
}

/**
 * What the work before a scoring node took: the time of the slowest of its nodes, and what they cost together; null = not known of all of
 * them.
 */
function measuresOf({ measures }: Context, node: string): JsonObject {
  const measured = Object.values(own(measures ?? {}, node) ?? {});
  let slowestMs: number | null = measured.length === 0 ? null : 0;
  let costUsd: number | null = slowestMs;
  for (const [durationMs, cost] of measured) {
    slowestMs = slowestMs === null || durationMs === null ? null : Math.max(slowestMs, durationMs);
    costUsd = costUsd === null || cost === null ? null : costUsd + cost;
  }
  return { preceding_duration_ms: slowestMs, preceding_cost_usd: costUsd };
}
