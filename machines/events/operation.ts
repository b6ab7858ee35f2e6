import { Type } from '../type.ts';
import { atNode, byDefault } from './declaration.ts';
import { absent, activation, flag, integer, json, number, object, oneOf, text, texts, time } from './fields.ts';

const operation = {
  name: text('Name of the operation.'),
  operation: integer('Place of the operation among those of the visit, in the order in which they began: 1, 2, 3 …'),
};
const attempt = { attempt: byDefault(0, integer('Attempt of the operation, counted from 0.')) };

/** What a durable function does. */
export const OPERATION_EVENTS = {
  step_started: atNode({
    letter: 'σ',
    description: 'An operation of a durable function began, or its next attempt. Of a short step, it is written with its result.',
    fields: {
      ...operation,
      kind: byDefault(
        'step',
        oneOf(
          ['step', 'value', 'sleep', 'event', 'approval', 'call', 'expose', 'continue', 'handler'],
          'What it does: `step` runs code, `value` records a value (`ctx.now`, `ctx.uuid` …), `expose` changes the state, `handler` takes updates, `call` runs another workflow, `continue` ends the execution, which another one continues, the others wait.',
        ),
      ),
      ...attempt,
      correlation_key: absent(text('Key of the event that it waits for.')),
      accepts: absent(texts('Types of the events that a machine waits for; `order.*` stands for a family, `*` for all.')),
      message: absent(text('What a person is asked.')),
      fire_at: absent(time('When the wait ends.')),
      limit_ms: absent(integer('Milliseconds that a person may take, from when the person is asked.')),
      workflow_id: absent(text('Workflow that it calls.')),
      workflow_version: absent(text('Its version; absent for the one that is registered last.')),
      input: absent(json('What the called workflow is given, or the function in the execution that continues this one.')),
      exposed: absent(
        object('JSON merge patch (RFC 7396) that was applied to the state, or to the key of the state that the node writes.'),
      ),
      schema: absent(object('JSON Schema of the updates that the function takes by this name; absent = any.')),
      ...activation,
    },
    stored: [
      'name',
      'operation',
      'kind',
      'correlation_key',
      'fire_at',
      'attempt',
      'activation',
      'message',
      'limit_ms',
      'workflow_id',
      'workflow_version',
      'input',
      'exposed',
      'schema',
      'accepts',
    ],
  }),
  step_completed: atNode({
    letter: 'φ',
    description: 'An operation of a durable function has its result, which the function gets also when it runs again.',
    fields: {
      ...operation,
      ...attempt,
      output: byDefault(null, json('Its result.')),
      duration_ms: absent(number('Milliseconds that the attempt took; absent for waits.')),
      event_sequence: absent(integer('Sequence of the external event that ended the wait; absent otherwise.')),
      timed_out: absent(flag('True if the time of the wait was over first.')),
      ...activation,
    },
    stored: ['name', 'operation', 'output', 'duration_ms', 'attempt', 'activation', 'event_sequence', 'timed_out'],
  }),
  step_failed: atNode({
    letter: 'ψ',
    description: 'An attempt at an operation of a durable function failed.',
    fields: {
      ...operation,
      ...attempt,
      error: text('Why it failed.'),
      error_class: absent(text('Class of the error, which `retryableOn` may name.')),
      error_name: absent(text('Name of the error, such as `TypeError`; absent for a plain `Error`.')),
      stack: absent(text('Where it was thrown.')),
      delay_ms: absent(integer('Milliseconds until the next attempt; absent for the last one, whose failure the function gets.')),
      ...activation,
    },
    stored: ['name', 'operation', 'error', 'error_class', 'attempt', 'delay_ms', 'activation', 'error_name', 'stack'],
  }),
  update_received: atNode({
    letter: 'τ',
    description: 'A caller has sent an update to a durable function, which handles it next, after what it was given before.',
    fields: {
      name: text('Name of the update.'),
      update: integer('Which of the updates of the visit: 1, 2, 3 …'),
      input: json('What the function is given.'),
      ...activation,
    },
  }),
  update_handled: atNode({
    letter: 'ρ',
    description: 'A durable function has handled an update, or its handler has thrown an error, which does not end the function.',
    fields: {
      name: text('Name of the update.'),
      update: integer('Which of the updates of the visit: 1, 2, 3 …'),
      received: integer('Sequence of its `update_received`.'),
      output: absent(json('What the handler has returned; absent if it has thrown an error.')),
      error: absent(text('What the handler has thrown.')),
      error_class: absent(text('Class of the error.')),
      ...activation,
    },
  }),
  step_cancelled: atNode({
    letter: 'ξ',
    description: 'The result of an operation is not wanted any more: a machine has left the state that waited for it.',
    fields: { ...operation, ...activation },
  }),
  machine_transitioned: atNode({
    letter: 'π',
    description: 'A state machine took a macrostep: it has come to rest after an event.',
    fields: {
      operation: operation.operation,
      event: text(
        'Type of the event, as XState names it: `xstate.init` is the start, `xstate.done.actor.…` the result of an actor.',
      ),
      value: json('State value of the machine after it.'),
      actions: absent(texts('Types of the actions that were executed; absent for none.')),
      actor: absent(
        text('Ids of the actors that lead to the machine, separated by `/`; absent for the machine of the workflow.'),
      ),
      emitted: absent(Type.Array(json('An event.'), { description: 'Events that it has emitted.' })),
      snapshot: absent(
        Type.Object(
          {
            set: object('Values by JSON pointer (RFC 6901); the pointer `""` is the whole snapshot.'),
            removed: texts('JSON pointers of what is gone.'),
          },
          { description: 'How the persisted snapshot has changed, which is the state of the execution.' },
        ),
      ),
      ...activation,
    },
    stored: ['operation', 'event', 'value', 'actions', 'snapshot', 'emitted', 'actor', 'activation'],
  }),
  function_parked: atNode({
    letter: 'χ',
    description: 'A durable function only waits: it holds no slot, and may leave the memory.',
    fields: {
      deferred: absent(flag('True if it could go on, but the execution is paused: it goes on with `resume`.')),
      ...activation,
    },
  }),
};
