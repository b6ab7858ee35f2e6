import { type Static, Type } from 'typebox';
import type { Json, JsonObject } from '../json.ts';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import {
  INPUT_MAPPING,
  mappingUnlessEmpty,
  namedTargets,
  OUTPUT_PROPERTIES,
  readOutputFields,
  readOutputSchema,
} from './shared-fields.ts';
import { WORK_SYNTAX } from './syntax.ts';

export const A2aTask = Type.Object(
  {
    type: Type.Literal('a2a_task'),
    remote_agent: Type.String({
      description: 'The agent: an entry of `remote_agents`, or the id of a registered agent; may hold templates.',
    }),
    skill: Type.String({ description: 'Skill that the agent is asked for. Empty: the agent decides.' }),
    input_mapping: INPUT_MAPPING,
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
  },
  { description: 'Gives a task to a remote agent over A2A and waits for its result. The runtime does it itself.' },
);
export type A2aTask = Static<typeof A2aTask>;

export const a2aTask: KindDefinition<A2aTask> = defineKind<A2aTask>({
  type: 'a2a_task',
  schema: A2aTask,
  normalise: (fields) => ({
    type: 'a2a_task',
    remote_agent: fields.requiredName('remote_agent'),
    skill: fields.name('skill') ?? '',
    input_mapping: fields.mapping('input_mapping'),
    ...optional('output_schema', readOutputSchema(fields)),
    stream: fields.boolean('stream') ?? false,
    ...optional('task_id', fields.text('task_id')),
    ...optional('context_id', fields.text('context_id')),
    ...optional('on_input_required', fields.name('on_input_required')),
    ...readOutputFields(fields),
  }),
  aliases: { remote_agent: ['agent_url', 'agent'], input_mapping: ['input', 'arguments'] },
  requiredKeys: ['remote_agent'],
  documentProperties: {
    output_schema: Type.Union([Type.Object({}), Type.String()], {
      description: 'JSON Schema of the output, as an object or as its JSON text. Default: any output.',
    }),
  },
  distinctiveKeys: ['remote_agent', 'skill', 'on_input_required', 'stream'],
  queue: () => 'tool',
  policyNames: ({ remote_agent, skill }) => (skill === '' ? [remote_agent] : [`${remote_agent}.${skill}`, skill, remote_agent]),
  mapping: remoteTaskMapping,
  mappingKey: null,
  payload: ({ remote_agent, skill, stream }, input) => ({ remote_agent, skill, stream, input }),
  targets: (kind) => namedTargets(kind, 'on_input_required', 'fallback_node'),
  outcomeEdgeHint: ({ on_input_required }) =>
    on_input_required === undefined ? null : 'let another edge lead on when the agent has completed the task',
  syntax: {
    keys: {
      on_input_required: { holds: 'target' },
      remote_agent: { holds: 'text', spellings: ['remote_agent', 'agent_url', 'agent'] },
      skill: { holds: 'text' },
      stream: { holds: 'json' },
      task_id: { holds: 'text' },
      context_id: { holds: 'text' },
      ...WORK_SYNTAX,
    },
  },
  summary: ({ remote_agent, skill }) => (skill === '' ? remote_agent : `${remote_agent}: ${skill}`),
  letter: 'r',
});

/** The agent and the message, each rendered for every attempt. Its keys are those of the kind. */
export function remoteTaskMapping(kind: {
  readonly remote_agent: string;
  readonly input_mapping: JsonObject | string;
  readonly task_id?: string;
  readonly context_id?: string;
}): Json {
  return {
    remote_agent: kind.remote_agent,
    input_mapping: mappingUnlessEmpty(kind.input_mapping) ?? '{{ state }}',
    ...optional('task_id', kind.task_id),
    ...optional('context_id', kind.context_id),
  };
}
