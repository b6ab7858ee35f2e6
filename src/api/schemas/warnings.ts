import { type Static, Type } from 'typebox';
import { listOf, text } from './fields.ts';

export const Warning = Type.Object(
  {
    code: text(
      'Stable code in snake_case: `unknown_field`, `unknown_parameter`, `nobody_waits` (no node waits for events with this key), `internal_state` (only the runtime writes that key of the state; of the input, an agent takes the `messages` of its conversation).',
    ),
    message: text('What is wrong, and what may have been meant.'),
    path: text('The field or query parameter, such as `inputs` or `items.0.txt`.'),
  },
  { description: 'Something in a request that had no effect, or not the effect that was probably meant.' },
);
export type Warning = Static<typeof Warning>;

/** The property `warnings` of replies, which the OpenAPI document adds to every reply that is a JSON object. */
export const warningsOfReply = Type.Optional(
  listOf(Warning, 'What in the request had no effect. Absent if there is nothing to say.'),
);
