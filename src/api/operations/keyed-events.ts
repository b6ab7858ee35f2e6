import { type Static, Type } from 'typebox';
import { AcceptedEvent, SendEvent } from '../schemas/events.ts';
import { flag, name, optional, text } from '../schemas/fields.ts';
import { StartExecution } from './executions.ts';
import type { Resource } from './operation.ts';

const { workflow_version, input, labels, thread, subject_token } = StartExecution.properties;

const WorkflowName = name('A workflow.');

export const SendKeyedEvent = Type.Object(
  {
    workflow_id: optional(WorkflowName, 'Workflow of the execution. Default: that of `start`.'),
    key: text('Key with which the execution was started.', { minLength: 1, maxLength: 256 }),
    ...SendEvent.properties,
    start: optional(
      Type.Object({
        workflow_id: optional(WorkflowName, 'The same as beside `key`.'),
        workflow_version,
        input,
        labels,
        thread,
        subject_token,
      }),
      'The execution with the key that is started if none is live. Default: 404.',
    ),
  },
  { description: 'An event from outside for the live execution that has a key.' },
);
export type SendKeyedEvent = Static<typeof SendKeyedEvent>;

export const AcceptedKeyedEvent = Type.Object(
  {
    ...AcceptedEvent.properties,
    started: flag('Whether the request has started the execution.'),
  },
  { description: 'An external event was recorded, and by which execution.' },
);
export type AcceptedKeyedEvent = Static<typeof AcceptedKeyedEvent>;

export const KEYED_EVENTS = {
  tag: 'Events',
  operations: {
    'POST /events': {
      id: 'sendEventByKey',
      access: 'write',
      isShed: true,
      summary: 'Send an external event to the execution that has a key',
      description:
        'Delivers the event to the live execution of the workflow with the key, as `POST /executions/:id/external-event` does. 404 if none is live; with `start`, one is started then, and is the recipient: of several such requests at once, one starts it. A repeated request with the same `Idempotency-Key` or `event_id` reaches the same execution, also if that has ended. 409 if the execution that was started ends before it takes the event.',
      body: SendKeyedEvent,
      reply: AcceptedKeyedEvent,
    },
  },
} satisfies Resource;
