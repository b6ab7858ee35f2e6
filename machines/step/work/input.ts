import type { Budget } from '../../expression/budget.ts';
import type { Scope } from '../../expression/index.ts';
import { type RenderResult, render, type Template } from '../../expression/template.ts';
import type { Workflow } from '../../ir/workflow.ts';
import type { ProgramTables } from '../../program/tables.ts';
import type { StepEnv } from '../../run.ts';
import { type Context, lastInputOf } from '../context/context.ts';
import { lastInputKeyOf } from '../context/input-key.ts';

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

/** Renders the input mapping of a node. Expressions are read in the newest language, and see the values of `env` as they are now. `maxListChars`: see `render`. */
export function renderInput(
  tables: ProgramTables,
  context: Context,
  node: string,
  template: Template,
  env: Pick<StepEnv, 'executionId' | 'vars'>,
  budget: Budget,
  maxListChars?: number,
): RenderResult {
  const { state, input } = context;
  const facts = executionFacts(tables.workflow, env.executionId, node);
  const output = lastInputOf(context, node);
  const outputKey = lastInputKeyOf(tables, context, node);
  return render(template, { state, output, outputKey, input, env: env.vars, facts }, budget, maxListChars);
}
