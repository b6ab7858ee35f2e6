import { Type } from '../type.ts';
import { ACTOR, atNode, byDefault, internal } from './declaration.ts';
import {
  absent,
  activation,
  attempt,
  flag,
  integer,
  item,
  json,
  nextAttempt,
  nullable,
  number,
  oneOf,
  text,
  time,
  usage,
  usageRefused,
} from './fields.ts';

const score = Type.Object(
  {
    scorer: text('Type of the scorer.'),
    passed: flag('Whether it passed.'),
    score: nullable(
      Type.Number(),
      'Its score: 1 to 5 of a judge, 0 or 1 of assertions, milliseconds, or US dollars; null = none.',
    ),
    message: text('Why.'),
  },
  { description: 'The result of a scorer. A custom scorer may add fields.' },
);

/** Also in the API's visits to nodes. */
export const EvaluatedCondition = Type.Object(
  {
    target: text('Node to which the edge leads, or `end`.'),
    condition: text('The condition, as written.'),
    value: absent(json('What it evaluated to; true or false instead of a list, an object or a text above 100 characters.')),
    problem: absent(text('Why it could not be evaluated; it counts as false.')),
  },
  { description: 'A condition that was evaluated.' },
);
const routing = {
  taken: absent(
    Type.Array(Type.String(), {
      description:
        'Targets of the edges that were followed: ids of nodes, or `end`; empty if none was. Absent if the node has no edges.',
    }),
  ),
  evaluated: absent(
    Type.Array(EvaluatedCondition, {
      description: 'Conditions that were evaluated, up to the first that held. Absent if there are none.',
    }),
  ),
};

export const AppendedList = Type.Object(
  {
    kept: integer('How many items of the list in the state come before the items of the event.'),
    since: integer('Sequence of the last event that has the list whole.'),
    in_output: absent(flag('True if the output has the same list as the patch, and is stored likewise.')),
  },
  { description: 'A list that a patch makes longer.' },
);

/** A node does its work. */
export const NODE_EVENTS = {
  node_scheduled: atNode({
    letter: 'I',
    description: 'An attempt was queued.',
    fields: {
      queue_type: byDefault('tool', text('Queue from which workers claim it.')),
      ...attempt,
      in_process: byDefault(true, absent(flag('True if the runtime itself does the work; absent for external workers.'))),
      ...activation,
      ...item,
    },
    stored: ['queue_type', 'in_process', 'attempt', 'activation', 'item'],
  }),
  node_started: atNode({
    letter: 'J',
    description: 'An attempt, or a wait, began.',
    fields: {
      worker_id: byDefault(ACTOR, absent(text('Worker or runtime that does the work; absent for nodes that wait.'))),
      ...attempt,
      ...activation,
      input: absent(
        json(
          'Input of the attempt: its rendered mapping, or the whole state. Values of `env`, and lists of the state above about 1 KiB that the mapping takes whole, are named (`{{ env.NAME }}`, `{{ state.messages }}`) and not given. Absent for nodes that wait.',
        ),
      ),
      input_from: absent(
        oneOf(['state'], 'In place of `input`: the whole state at this event, when it is larger than about 8 KiB.'),
      ),
      input_omitted: absent(
        flag(
          'True if `input` is not recorded: rendering it takes too much work, the inputs of one step are too large, or the data policy does not retain it.',
        ),
      ),
      input_offloaded: internal(),
      ...item,
    },
    stored: ['input', 'worker_id', 'attempt', 'activation', 'input_from', 'input_omitted', 'input_offloaded', 'item'],
  }),
  tool_call_completed: atNode({
    letter: 'K',
    description: 'A tool returned. Written right before `node_completed`.',
    fields: {
      tool: text('Name of the tool.'),
      duration_ms: byDefault(0, number('Milliseconds the call took.')),
      ...activation,
      ...item,
    },
  }),
  eval_scored: atNode({
    letter: 'u',
    description: 'An eval node has scored the work before it. Written right before what follows from it.',
    fields: {
      passed: byDefault(true, flag('Whether all scorers passed.')),
      action: byDefault(
        'continue',
        text('What follows: `continue` (all passed), or `log_and_continue`, `retry_with_feedback`, `escalate` or `halt`.'),
      ),
      results: Type.Array(score, { description: 'One result per scorer, in the order of the node.' }),
      feedback: absent(text('What did not pass, for the work that runs again; absent if all passed.')),
      duration_ms: byDefault(0, integer('Milliseconds that the attempt took.')),
      ...usage,
      ...activation,
      ...usageRefused,
    },
    stored: [
      'results',
      'passed',
      'action',
      'duration_ms',
      'activation',
      'feedback',
      'input_tokens',
      'output_tokens',
      'cost_usd',
      'gen_ai_model',
      'gen_ai_system',
      'finish_reason',
      'gen_ai_response_id',
      'usage_refused',
    ],
  }),
  node_completed: atNode({
    letter: 'L',
    description: 'The node completed.',
    fields: {
      output: json('Output of the node.'),
      state_patch: json('JSON merge patch (RFC 7396) that was applied to the state.'),
      /** In place of `state_patch`: how it follows from the output. */
      patch_from: internal('output'),
      output_key: internal(),
      event_sequence: absent(integer('Sequence of the external event that ended the wait; absent otherwise.')),
      source: absent(text('Node whose output a `first` join took; absent otherwise.')),
      duration_ms: byDefault(0, number('Milliseconds the attempt took; 0 for nodes that do no work.')),
      ...usage,
      route: absent(text('Route that the result asked for: `on_input_required`; absent otherwise.')),
      thread: absent(
        Type.Object(
          {
            thread_id: text('The thread.'),
            first: integer('Sequence of its first message that the turn has appended.'),
            last: integer('Sequence of the last one.'),
          },
          { description: 'What the turn has appended to a thread; absent otherwise.' },
        ),
      ),
      ...activation,
      appended: absent(
        Type.Record(Type.String(), AppendedList, {
          description:
            'Lists of which `output` and `state_patch` have only the items that the state did not have before, by JSON pointer into the patch. Readers of the events get the messages of an agent in this form, and all other lists whole; the stored log (`jamjet audit`, exports) has every list in it.',
        }),
      ),
      ...routing,
      output_spilled: internal(),
      ...usageRefused,
      ...item,
    },
    stored: [
      'output',
      'taken',
      'duration_ms',
      'patch_from',
      'output_key',
      'activation',
      'evaluated',
      'state_patch',
      'input_tokens',
      'output_tokens',
      'gen_ai_model',
      'gen_ai_system',
      'finish_reason',
      'cost_usd',
      'event_sequence',
      'source',
      'output_spilled',
      'gen_ai_response_id',
      'appended',
      'route',
      'usage_refused',
      'item',
      'thread',
    ],
  }),
  node_failed: atNode({
    letter: 'M',
    description: 'An attempt, or the node for good, failed.',
    fields: {
      error: text('What went wrong.'),
      ...attempt,
      retryable: byDefault(false, flag('Whether another attempt follows.')),
      error_class: absent(text('Class of the error; absent if unknown.')),
      http_status: absent(integer('Status of the HTTP response with which the attempt failed; absent if there was none.')),
      error_name: absent(text('Name of the error, e.g. `TypeError`; absent for what is no error.')),
      stack: absent(
        text(
          'Frames of its stack, one per line, the innermost first; at most 20. Paths are relative to the folder of the process that did the work. Absent if there is none.',
        ),
      ),
      cause: absent(json('The error that caused it: `{name?, message, stack?, cause?, errors?}`; absent if there is none.')),
      errors: absent(json('All errors of an `AggregateError`, in the same form; the first 10. Absent for other errors.')),
      ...usage,
      ...activation,
      ...routing,
      ...usageRefused,
      ...item,
    },
    stored: [
      'error',
      'error_class',
      'retryable',
      'taken',
      'attempt',
      'http_status',
      'activation',
      'evaluated',
      'gen_ai_system',
      'gen_ai_model',
      'input_tokens',
      'output_tokens',
      'finish_reason',
      'cost_usd',
      'gen_ai_response_id',
      'error_name',
      'stack',
      'cause',
      'errors',
      'usage_refused',
      'item',
    ],
  }),
  attempt_lost: atNode({
    letter: 'Γ',
    description:
      'The process of an attempt at a durable function, or at an item of a `map`, is gone. In place of `node_failed`: the same attempt begins again.',
    fields: {
      error: byDefault('runtime lost', text('`runtime lost`, `lease expired`, or with what a worker gave it back.')),
      ...attempt,
      ...usage,
      ...activation,
      ...usageRefused,
      ...item,
    },
    stored: [
      'error',
      'attempt',
      'activation',
      'item',
      'gen_ai_system',
      'gen_ai_model',
      'input_tokens',
      'output_tokens',
      'finish_reason',
      'cost_usd',
      'gen_ai_response_id',
      'usage_refused',
    ],
  }),
  node_skipped: atNode({
    letter: 'N',
    description: 'The node does not run: no edge to it was followed.',
    fields: { reason: byDefault('branch not taken', text('Why.')), ...activation },
  }),
  node_cancelled: atNode({
    letter: 'O',
    description: 'The node was stopped: the execution ended, or a `first` join took another branch.',
    fields: { ...activation, ...item },
  }),
  retry_scheduled: atNode({
    letter: 'P',
    description: 'Another attempt will follow.',
    fields: {
      ...nextAttempt,
      delay_ms: integer('Milliseconds until that attempt is queued.'),
      ...activation,
      ...item,
    },
    stored: ['delay_ms', 'attempt', 'activation', 'item'],
  }),
  node_parked: atNode({
    letter: 'm',
    description:
      'The provider of a model is over its limit. In place of `retry_scheduled`: another attempt will follow when it says.',
    fields: {
      ...nextAttempt,
      delay_ms: integer('Milliseconds until that attempt is queued.'),
      retry_after: time('When that attempt is queued.'),
      ...activation,
      ...item,
    },
    stored: ['delay_ms', 'retry_after', 'attempt', 'activation', 'item'],
  }),
  usage_recorded: atNode({
    letter: 'λ',
    description:
      'Something was used beside the outcomes of attempts: by an attempt that was given up, or that begins again after a stop of its runtime, or by the summary of a thread.',
    fields: {
      ...usage,
      ...usageRefused,
      ...attempt,
      ...activation,
      child_execution_id: absent(text('Its child execution that has; absent if it is its own work.')),
      ...item,
    },
    stored: [
      'gen_ai_system',
      'gen_ai_model',
      'input_tokens',
      'output_tokens',
      'finish_reason',
      'cost_usd',
      'gen_ai_response_id',
      'attempt',
      'activation',
      'usage_refused',
      'child_execution_id',
      'item',
    ],
  }),
};
