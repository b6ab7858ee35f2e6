import { type Static, Type } from 'typebox';
import { optional } from '../ir/fields.ts';
import { COMMON, common, type KindDefinition, routes } from './kind.ts';

/** Parks until a person approves or rejects. */
export const HumanApproval = Type.Object({
  type: Type.Literal('human_approval'),
  /** A template: what is to be decided. */
  description: Type.String(),
  /** Absent = no limit. */
  timeout_secs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  on_approved: Type.Optional(Type.String()),
  on_rejected: Type.Optional(Type.String()),
  on_timeout: Type.Optional(Type.String()),
  ...COMMON,
});
export type HumanApproval = Static<typeof HumanApproval>;

export const humanApproval: KindDefinition<HumanApproval> = {
  type: 'human_approval',
  schema: HumanApproval,
  normalise: (fields) => ({
    type: 'human_approval',
    description: fields.text('description', 'message', 'prompt') ?? `Approval required for ${fields.place.node_id}`,
    ...optional('timeout_secs', fields.seconds(['timeout_secs', 'timeout'])),
    ...optional('on_approved', fields.name('on_approved')),
    ...optional('on_rejected', fields.name('on_rejected')),
    ...optional('on_timeout', fields.name('on_timeout')),
    ...common(fields),
  }),
  behaviour: () => 'approval',
  queue: () => null,
  policyNames: () => [],
  tool: () => null,
  targets: (kind) => routes(kind, 'on_approved', 'on_rejected', 'on_timeout', 'fallback_node'),
  mapping: () => null,
  payload: () => ({}),
  objectResultIsPatch: false,
};
