import type { Json, JsonObject } from '../json.ts';
import { flag, outputSchema, target, text } from './fields.ts';
import { mappingUnlessEmpty } from './kind.ts';
import { INPUT_MAPPING, OUTPUT } from './shared-fields.ts';

// What the kinds have in common that give a task to a remote agent.

export const REMOTE_TASK = {
  on_input_required: target(
    'Node id, or `end`, when the agent asks for input. The output is then `{status, message, task_id, context_id}`. Default: the node fails.',
    { distinctive: true },
  ),
  stream: flag('Whether the agent streams: its texts are then shown while it works. Default: the runtime asks it for news.', {
    default: false,
    distinctive: true,
  }),
  task_id: text('A task of the agent that the message continues, usually a template. Empty or null: a new task.'),
  context_id: text('The conversation that the task belongs to, usually a template. Default: a new one.'),
  input_mapping: INPUT_MAPPING,
  output_schema: outputSchema('JSON Schema of the output, as an object or as its JSON text. Default: any output.'),
  ...OUTPUT,
};

/** The agent, under its key in the kind, and the message, rendered for every attempt. */
export function remoteTaskMapping(
  agent: JsonObject,
  kind: { readonly input_mapping: JsonObject | string; readonly task_id?: string; readonly context_id?: string },
): Json {
  const { input_mapping, task_id, context_id } = kind;
  return {
    ...agent,
    input_mapping: mappingUnlessEmpty(input_mapping) ?? '{{ state }}',
    ...(task_id === undefined ? {} : { task_id }),
    ...(context_id === undefined ? {} : { context_id }),
  };
}

/** What to do about an only edge that leads to the node for questions. */
export const questionEdgeHint = ({ on_input_required }: { readonly on_input_required?: string }): string | null =>
  on_input_required === undefined ? null : 'let another edge lead on when the agent has completed the task';
