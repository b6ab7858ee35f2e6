import { type Static, Type } from 'typebox';
import { optional } from '../ir/reading/fields.ts';
import { COMMON_PROPERTIES, type KindDefinition, namedTargets, readCommonFields } from './kind.ts';

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
  ...COMMON_PROPERTIES,
});
export type HumanApproval = Static<typeof HumanApproval>;

export const humanApproval: KindDefinition<HumanApproval> = {
  type: 'human_approval',
  schema: HumanApproval,
  normalise: (fields) => ({
    type: 'human_approval',
    description: fields.text('description', 'message', 'prompt') ?? `Approval required for ${fields.location.node_id}`,
    ...optional('timeout_secs', fields.seconds(['timeout_secs', 'timeout'])),
    ...optional('on_approved', fields.name('on_approved')),
    ...optional('on_rejected', fields.name('on_rejected')),
    ...optional('on_timeout', fields.name('on_timeout')),
    ...readCommonFields(fields),
  }),
  behaviour: () => 'approval',
  queue: () => null,
  policyNames: () => [],
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'on_approved', 'on_rejected', 'on_timeout', 'fallback_node'),
  mapping: () => null,
  payload: () => ({}),
  objectResultIsPatch: false,
};
