import { Type } from 'typebox';
import type { Fields } from '../reading/fields.ts';

/** Tool calls of one answer of a model, at most, unless the node says otherwise. */
export const DEFAULT_CALLS_PER_ANSWER = 128;
const MAX_CALLS_PER_ANSWER = 1_024;

export const CALLS_PER_ANSWER_PROPERTY = {
  max_calls_per_answer: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_CALLS_PER_ANSWER,
      description: `Tool calls of one answer, at most. The node fails with \`too_many_calls\` when the model asks for more. Default: ${DEFAULT_CALLS_PER_ANSWER}.`,
    }),
  ),
};

export function readCallsPerAnswer(fields: Fields): { readonly max_calls_per_answer?: number } {
  const given = fields.integer(['max_calls_per_answer'], 1);
  if (given === undefined) return {};
  if (given <= MAX_CALLS_PER_ANSWER) return { max_calls_per_answer: given };
  fields.error('out_of_range', 'max_calls_per_answer', `must be at most ${MAX_CALLS_PER_ANSWER}`);
  return {};
}
