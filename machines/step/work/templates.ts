import type { Budget } from '../../expression/budget.ts';
import type { Scope } from '../../expression/index.ts';
import { type RenderResult, render, type Template } from '../../expression/template.ts';
import type { Workflow } from '../../ir/workflow.ts';
import type { Json } from '../../json.ts';
import { definitionOf } from '../../nodes/index.ts';
import type { ProgramTables } from '../../program/tables.ts';
import type { StepEnv } from '../../run.ts';
import { type Context, lastInputOf } from '../context/context.ts';
import { lastInputKeyOf } from '../context/pending-inputs.ts';
import type { StepContext } from '../context/step-context.ts';
import type { FailEvent } from '../machine-event.ts';

/** Facts that templates can refer to, such as `{{ execution.id }}`. */
export function executionFacts({ workflow_id, version }: Workflow, executionId: string, node: string): Scope['facts'] & object {
  return {
    'execution.id': executionId,
    'execution.workflow_id': workflow_id,
    'node.id': node,
    'workflow.id': workflow_id,
    'workflow.version': version,
  };
}

/** The item of the list on which the node works. */
export function itemOf({ active }: Context, node: string, item: number): Json {
  return active.get(node)?.map?.items[item] ?? null;
}

/** The names by which templates of the node read an item and its index. */
export function itemNames(tables: ProgramTables, context: Context, node: string, item: number): Readonly<Record<string, Json>> {
  const { kind } = tables.nodeOf(node);
  const { as = 'item' } = definitionOf(kind).itemWork(kind) ?? {};
  return { [as]: itemOf(context, node, item), index: item };
}

/** Renders the input mapping of a node. Expressions are read in the newest language, and see the values of `env` as they are now. `maxListChars`: see `render`. */
export function renderInput(
  tables: ProgramTables,
  context: Context,
  node: string,
  template: Template,
  env: Pick<StepEnv, 'executionId' | 'vars'>,
  budget: Budget,
  { maxListChars, names }: { readonly maxListChars?: number; readonly names?: Scope['names'] | undefined } = {},
): RenderResult {
  const { state, input } = context;
  const facts = executionFacts(tables.workflow, env.executionId, node);
  const output = lastInputOf(context, node);
  const outputKey = lastInputKeyOf(tables, context, node);
  const scope = { state, output, outputKey, input, env: env.vars, facts };
  return render(template, names === undefined ? scope : Object.assign(scope, { names }), budget, maxListChars);
}

/**
 * Renders a template of a node that begins, in the language of the execution. `own`: what it reads otherwise than others. `what` names the template in diagnostics. Undefined = the
 * evaluation budget does not suffice: the node has exceeded it.
 */
export function renderAtNode(
  step: StepContext,
  node: string,
  template: Template,
  executionId: string,
  what: string,
  own: Partial<Scope> = {},
): Json | undefined {
  const { evaluation } = step;
  const scope = Object.assign(scopeAtNode(step, node, executionId), own);
  const { value, errors, exceeded } = render(template, scope, evaluation.budget);
  if (exceeded !== undefined) {
    evaluation.noteExceeded(node, exceeded);
    return undefined;
  }
  evaluation.diagnostics.push(...errors.map((error) => `${what} of node "${node}": ${error}`));
  return value;
}

/** What templates of a node that begins can read. */
export function scopeAtNode(step: StepContext, node: string, executionId: string): Scope {
  const { state, input, env } = step.now;
  const facts = executionFacts(step.tables.workflow, executionId, node);
  return { state, output: step.inputs.last(node), outputKey: step.inputs.lastKey(node), input, env, facts };
}

/** The failure of a node whose expressions exceed the evaluation budget of the step. */
export function budgetFailure(step: StepContext, node: string): FailEvent {
  return { type: 'fail', node, ...step.evaluation.failureOf(node), retryable: false, delayMs: 0 };
}
