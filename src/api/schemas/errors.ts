import { type Static, Type } from 'typebox';
import { described, flag, integer, listOf, nullable, text } from './fields.ts';
import { warningsOfReply } from './warnings.ts';

export const Diagnostic = Type.Object(
  {
    severity: Type.Enum(['error', 'warning'] as const, {
      description: '`error`: the workflow is refused; `warning`: it is registered all the same.',
    }),
    code: text('Stable code in snake_case.'),
    node_id: nullable(Type.String(), 'Node with the problem; null if it concerns the whole workflow.'),
    path: nullable(Type.String(), 'Path of the key in the document, such as `nodes.review.kind.timeout_secs`; null if none.'),
    message: text('What is wrong.'),
    hint: nullable(Type.String(), 'What to do about it; null if there is no advice.'),
    line: Type.Optional(integer('Line of the problem in a body in YAML, from 1. Absent for documents in JSON.')),
    column: Type.Optional(integer('Column in that line, from 1.')),
  },
  { description: 'A problem of a workflow document.' },
);
export type Diagnostic = Static<typeof Diagnostic>;

export const Mismatch = Type.Object(
  {
    sequence: integer('Sequence of the first event that the version would not have written.'),
    type: nullable(Type.String(), 'Type of that event; null if the log ends there.'),
    node_id: nullable(Type.String(), 'Node of that event; null if it concerns none.'),
    problem: text('What differs.'),
  },
  { description: 'Where the log of an execution differs from what a workflow version would have written.' },
);
export type Mismatch = Static<typeof Mismatch>;

export const PastDecision = Type.Object(
  {
    execution_id: Type.Optional(
      text('Descendant of the original execution in which the decision was made; absent for the original itself.'),
    ),
    node_id: text('Node whose approval was decided.'),
    sequence: integer('Sequence of the `approval_received` event.'),
    decision: Type.Enum(['approved', 'rejected'] as const, { description: 'The decision.' }),
    user_id: text('Who decided, as the decision says.'),
    actor_id: text('Name of the token that sent the decision.'),
    would_change: flag('Whether the person would have been shown something else under the patched state.'),
    last_free_sequence: integer('Last sequence of the original execution at which a fork does not include the decision.'),
  },
  { description: 'A decision that was made before the point of a fork.' },
);
export type PastDecision = Static<typeof PastDecision>;

export const ApiErrorBody = Type.Object(
  {
    error: text('For people: a class (`bad request`, `not found`, `conflict` …) and what is wrong.'),
    code: text('For programs: a stable code in snake_case.'),
    required: Type.Optional(text('With status 403: the lowest role that may do this.')),
    diagnostics: Type.Optional(listOf(Diagnostic, 'Problems of a workflow document: the first hundred.')),
    execution_id: Type.Optional(text('The execution that has the key. Only with `already_running`.')),
    mismatch: Type.Optional(described(Mismatch, 'Why a fork does not fit the requested version. Only with `does_not_fit`.')),
    decisions: Type.Optional(
      listOf(
        PastDecision,
        'Decisions that were made on something else than the patched state of a fork. Only with `decision_would_change`.',
      ),
    ),
    warnings: warningsOfReply,
  },
  { description: 'The body of every error.' },
);
export type ApiErrorBody = Static<typeof ApiErrorBody>;
