import { Type } from '../type.ts';
import { atNode, byDefault, internal, ofExecution } from './declaration.ts';
import { absent, activation, item, json, nullable, oneOf, text, time } from './fields.ts';

/** A node waits for a person, a time or an event. */
export const WAIT_EVENTS = {
  interrupt_raised: atNode({
    letter: 'Q',
    description: 'A person is asked for a decision.',
    fields: {
      reason: byDefault('human_approval', text('`human_approval`.')),
      description: text('What the person is asked.'),
      state_for_review: json('State at that time.'),
      ...activation,
      state_spilled: internal(),
    },
    stored: ['description', 'state_for_review', 'reason', 'activation', 'state_spilled'],
  }),
  approval_received: atNode({
    letter: 'R',
    description: 'A decision was recorded.',
    fields: {
      user_id: text('Who decided: the person named in the request, else the token.'),
      decision: byDefault('approved', oneOf(['approved', 'rejected'], 'The decision.')),
      comment: byDefault(null, nullable(Type.String(), 'Comment given with the decision; null if there is none.')),
      state_patch: byDefault(null, json('JSON merge patch (RFC 7396) that was applied to the state; null = none.')),
      ...activation,
      ...item,
    },
  }),
  timer_created: atNode({
    letter: 'S',
    description: 'A wait will end at a time.',
    fields: {
      fire_at: time('When the timer fires.'),
      correlation_key: absent(text('Key of the event that would end the wait earlier; absent for timers.')),
      ...activation,
    },
  }),
  timer_fired: atNode({
    letter: 'T',
    description: 'The time of a wait, of an approval or of a retry has come.',
    fields: {
      ...activation,
      correlation_key: absent(text('Key of the event that did not come; absent for timers.')),
      ...item,
    },
    stored: ['correlation_key', 'activation', 'item'],
  }),
  external_event_received: ofExecution({
    letter: 'U',
    description: 'An event was sent to the execution.',
    fields: {
      correlation_key: text('Key by which nodes wait for the event.'),
      payload: json('Payload of the event.'),
    },
  }),
};
