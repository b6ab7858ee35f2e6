import { type Static, Type } from 'typebox';
import { optional } from '../ir/reading/fields.ts';
import { COMMON_PROPERTIES, type KindDefinition, namedTargets, readCommonFields } from './kind.ts';

const CONDITIONS = ['timer', 'external_event', 'either'] as const;

/** Parks until time has passed, an external event has come, or either. */
export const Wait = Type.Object({
  type: Type.Literal('wait'),
  condition: Type.Enum(CONDITIONS),
  /** Of the event waited for. */
  correlation_key: Type.String(),
  /** Absent = no limit; a timer always has one. */
  timeout_secs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  on_timeout: Type.Optional(Type.String()),
  ...COMMON_PROPERTIES,
});
export type Wait = Static<typeof Wait>;

export const wait: KindDefinition<Wait> = {
  type: 'wait',
  schema: Wait,
  normalise: (fields) => {
    const key = fields.name('correlation_key', 'event');
    const duration = fields.seconds(['duration_secs', 'duration']);
    const timeout = fields.seconds(['timeout_secs', 'timeout']) ?? duration;
    const named = fields.oneOf(['condition'], CONDITIONS);
    // A duration without an event can only mean a timer.
    const condition = named ?? (duration !== undefined && key === undefined ? 'timer' : 'external_event');
    if (condition === 'timer' && fields.json('timeout_secs', 'timeout', 'duration_secs', 'duration') === undefined) {
      fields.error('missing_key', 'timeout_secs', 'is required: a timer needs to know how long');
    }
    return {
      type: 'wait',
      condition,
      correlation_key: key ?? fields.location.node_id ?? '',
      ...optional('timeout_secs', timeout),
      ...optional('on_timeout', fields.name('on_timeout')),
      ...readCommonFields(fields),
    };
  },
  behaviour: () => 'wait',
  queue: () => null,
  policyNames: () => [],
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'on_timeout', 'fallback_node'),
  mapping: () => null,
  payload: () => ({}),
  objectResultIsPatch: false,
};
