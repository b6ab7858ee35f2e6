import type { Json, JsonObject } from '../../json.ts';
import type { ProgramTables } from '../../program/tables.ts';
import type { Redactor } from '../../redaction/redactor.ts';
import type { DataRules } from '../../redaction/rules.ts';
import { type Context, lastInputOf } from '../context/context.ts';
import { lastInputKeyOf } from '../context/pending-inputs.ts';

/** What a prompt is rendered from, and what redacts the rendered text once more: an expression may have made personal data of what is none. */
export interface PromptContext {
  readonly context: Context;
  readonly redactor: Redactor;
}

/** The context as a node that calls a model may see it: without personal data. */
export function promptContext(rules: DataRules, tables: ProgramTables, context: Context, node: string): PromptContext {
  const { state, input } = context;
  const redactor = rules.prompt(node, [state, input]);
  const output: Json = lastInputOf(context, node);
  return {
    context: {
      ...context,
      state: redactor.root(state) as JsonObject,
      input: redactor.root(input),
      pendingInputs: output === null ? {} : { [node]: [['', redactor.root(output), lastInputKeyOf(tables, context, node)]] },
    },
    redactor,
  };
}
