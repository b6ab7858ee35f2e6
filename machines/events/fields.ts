import type { TSchema } from 'typebox';
import { Type } from '../type.ts';
import { byDefault } from './declaration.ts';

// What the declarations of events share.

export const text = (description: string) => Type.String({ description });
export const integer = (description: string) => Type.Integer({ description });
export const number = (description: string) => Type.Number({ description });
export const flag = (description: string) => Type.Boolean({ description });
export const time = (description: string) => Type.String({ format: 'date-time', description });
export const json = (description: string) => Type.Unsafe<unknown>({ description });
export const object = (description: string) => Type.Unsafe<Record<string, unknown>>({ type: 'object', description });
export const texts = (description: string) => Type.Array(Type.String(), { description });
export const oneOf = <const T extends string[]>(values: readonly [...T], description: string) =>
  Type.Enum<T>(values, { description });
export const nullable = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description });
export const absent = Type.Optional;

export const activation = {
  activation: byDefault(1, integer('Visit to the node: 1, 2, 3 …; 0 for work that was enqueued beside the workflow.')),
};
const attemptNumber = integer('Attempt of the visit, counted from 0.');
export const attempt = { attempt: byDefault(0, attemptNumber) };
/** Which piece of the visit's work the event is about. It comes last in every type, since it was added to released ones. */
export const item = {
  item: absent(
    integer(
      'Item of the list, counted from 0, or number of the call of a durable function; absent if the event is about the visit itself.',
    ),
  ),
};
/** Of the attempt that follows. */
export const nextAttempt = { attempt: byDefault(1, attemptNumber) };

/** What an attempt, or a model, has used. */
export const usage = {
  gen_ai_system: absent(text('Provider of the model that was used.')),
  gen_ai_model: absent(text('Model that was used.')),
  input_tokens: absent(integer('Input tokens that were used.')),
  output_tokens: absent(integer('Output tokens that were used.')),
  finish_reason: absent(text('Why the model stopped.')),
  cost_usd: absent(number('Cost in USD.')),
  gen_ai_response_id: absent(text('Id that the provider gave to the response.')),
};
export const usageRefused = {
  usage_refused: absent(
    Type.Object(
      {
        input_tokens: absent(number('Input tokens as reported.')),
        output_tokens: absent(number('Output tokens as reported.')),
        cost_usd: absent(number('Cost in USD as reported.')),
        max_tokens: absent(number('Tokens of either kind that a call may report.')),
        max_cost_usd: absent(number('Cost in USD that the call may report.')),
      },
      { description: 'What was reported beyond the limits of a call, and counts neither for budgets nor for the month.' },
    ),
  ),
};

/** A policy's rule. */
export const matched = {
  matched: absent(
    text(
      'The rule: its list and the glob that matches, or `model_allowlist`. Absent for policies of the workflow and of the node.',
    ),
  ),
};
