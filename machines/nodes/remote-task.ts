import { Type } from 'typebox';
import type { Json, JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { mappingUnlessEmpty, namedTargets, OUTPUT_PROPERTIES, readOutputFields, readOutputSchema } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

// What the kinds have in common that give a task to a remote agent.

export const REMOTE_TASK_PROPERTIES = {
  output_schema: Type.Optional(
    Type.Unsafe<JsonObject>({
      type: 'object',
      description: 'JSON Schema of the output, which is then read as JSON. `pattern` is not supported. Default: any output.',
    }),
  ),
  stream: Type.Boolean({
    description: 'Whether the agent streams: its texts are then shown while it works. Default: the runtime asks it for news.',
  }),
  task_id: Type.Optional(
    Type.String({
      description: 'A task of the agent that the message continues, usually a template. Empty or null: a new task.',
    }),
  ),
  context_id: Type.Optional(
    Type.String({ description: 'The conversation that the task belongs to, usually a template. Default: a new one.' }),
  ),
  on_input_required: Type.Optional(
    Type.String({
      description:
        'Node id, or `end`, when the agent asks for input. The output is then `{status, message, task_id, context_id}`. Default: the node fails.',
    }),
  ),
  ...OUTPUT_PROPERTIES,
};

export const REMOTE_TASK_DOCUMENT = {
  output_schema: Type.Union([Type.Object({}), Type.String()], {
    description: 'JSON Schema of the output, as an object or as its JSON text. Default: any output.',
  }),
};

export const REMOTE_TASK_SYNTAX = {
  on_input_required: { holds: 'target' },
  stream: { holds: 'json' },
  task_id: { holds: 'text' },
  context_id: { holds: 'text' },
  input_mapping: { holds: 'json', spellings: ['input', 'arguments'] },
  output_schema: { holds: 'json' },
  ...OUTPUT_SYNTAX,
} as const;

export function readRemoteTask(fields: Fields) {
  return {
    input_mapping: fields.mapping('input_mapping'),
    ...optional('output_schema', readOutputSchema(fields)),
    stream: fields.boolean('stream') ?? false,
    ...optional('task_id', fields.text('task_id')),
    ...optional('context_id', fields.text('context_id')),
    ...optional('on_input_required', fields.name('on_input_required')),
    ...readOutputFields(fields),
  };
}

/** The agent, under its key in the kind, and the message, rendered for every attempt. */
export function remoteTaskMapping(
  agent: JsonObject,
  kind: { readonly input_mapping: JsonObject | string; readonly task_id?: string; readonly context_id?: string },
): Json {
  return {
    ...agent,
    input_mapping: mappingUnlessEmpty(kind.input_mapping) ?? '{{ state }}',
    ...optional('task_id', kind.task_id),
    ...optional('context_id', kind.context_id),
  };
}

export const remoteTaskTargets = (kind: { readonly on_input_required?: string; readonly fallback_node?: string }) =>
  namedTargets(kind, 'on_input_required', 'fallback_node');

/** What to do about an only edge that leads to the node for questions. */
export const questionEdgeHint = ({ on_input_required }: { readonly on_input_required?: string }): string | null =>
  on_input_required === undefined ? null : 'let another edge lead on when the agent has completed the task';
