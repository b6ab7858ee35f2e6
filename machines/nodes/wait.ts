import { type Static, Type } from 'typebox';
import { durationText } from '../duration.ts';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition, type TimeoutOutcome } from './kind.ts';
import { duration, namedTargets, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const CONDITIONS = ['timer', 'external_event', 'either'] as const;

/** A timer fires; of `either` the event may come or not. */
const TIMEOUT_OUTCOMES: Readonly<Record<(typeof CONDITIONS)[number], TimeoutOutcome>> = {
  timer: 'continue',
  external_event: 'fail',
  either: 'continue_unless_routed',
};

export const Wait = Type.Object(
  {
    type: Type.Literal('wait'),
    condition: Type.Enum(CONDITIONS, {
      description: 'What it waits for. Default: `timer` when there is only a duration, else `external_event`.',
    }),
    correlation_key: Type.String({ description: 'Key of the event that it waits for. Default: the node id.' }),
    timeout_secs: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Seconds until it times out. Default: no limit. Required for a timer.' }),
    ),
    on_timeout: Type.Optional(
      Type.String({
        description: 'Node id, or `end`, when no event came in time. Default: `fallback_node`, else the node fails.',
      }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Parks until a time has passed, an external event has come, or either.' },
);
export type Wait = Static<typeof Wait>;

export const wait: KindDefinition<Wait> = defineKind<Wait>({
  type: 'wait',
  schema: Wait,
  normalise: (fields) => {
    const key = fields.name('correlation_key');
    const lasting = fields.seconds(['duration_secs']);
    const timeout = fields.seconds(['timeout_secs']) ?? lasting;
    const named = fields.oneOf(['condition'], CONDITIONS);
    // A duration without an event can only mean a timer.
    const condition = named ?? (lasting !== undefined && key === undefined ? 'timer' : 'external_event');
    if (condition === 'timer' && fields.json('timeout_secs', 'duration_secs') === undefined) {
      fields.error('missing_key', 'timeout_secs', 'is required: a timer needs to know how long');
    }
    if (key?.includes('{{')) {
      const hint = 'events are sent to one execution, so the key need not tell executions apart';
      fields.warning('literal_key', 'correlation_key', `is not a template: events need exactly the key "${key}"`, hint);
    }
    return {
      type: 'wait',
      condition,
      correlation_key: key ?? fields.location.node_id ?? '',
      ...optional('timeout_secs', timeout),
      ...optional('on_timeout', fields.name('on_timeout')),
      ...readOutputFields(fields),
    };
  },
  aliases: { correlation_key: ['event'], timeout_secs: ['timeout'], duration_secs: ['duration'] },
  documentProperties: {
    timeout_secs: duration('Time until it times out. Default: no limit. A timer needs it.'),
    duration_secs: duration('The time that a timer takes; the same as `timeout_secs`.'),
  },
  distinctiveKeys: ['event', 'correlation_key', 'duration_secs', 'timeout_secs', 'on_timeout'],
  behaviour: () => 'wait',
  targets: (kind) => namedTargets(kind, 'on_timeout', 'fallback_node'),
  waitsForEvent: (kind) => (kind.condition === 'timer' ? null : kind.correlation_key),
  parkTimeoutMs: ({ timeout_secs }) => (timeout_secs === undefined ? null : Math.round(timeout_secs * 1000)),
  timeoutOutcome: (kind) => TIMEOUT_OUTCOMES[kind.condition],
  outcomeEdgeHint: (kind) =>
    kind.condition === 'timer' ? null : 'to go there in any case, leave on_timeout out and make the condition "either"',
  syntax: {
    keys: {
      condition: { holds: 'text' },
      correlation_key: { holds: 'text', spellings: ['event'] },
      on_timeout: { holds: 'target' },
      ...OUTPUT_SYNTAX,
      timeout_secs: { holds: 'duration', spellings: ['timeout', 'duration'] },
    },
    attempts: false,
    complete(kind, { durations }) {
      const onlyTimesOut = durations.has('timeout') && kind.on_timeout === undefined;
      if (kind.correlation_key !== undefined) kind.condition ??= durations.has('duration') ? 'either' : 'external_event';
      else kind.condition ??= durations.has('duration') || onlyTimesOut ? 'timer' : 'external_event';
    },
  },
  testReplies: 'event',
  summary: (kind) => {
    const limit = kind.timeout_secs === undefined ? '' : durationText(kind.timeout_secs * 1_000);
    if (kind.condition === 'timer') return `waits ${limit}`;
    return `event ${kind.correlation_key}${limit === '' ? '' : `, ${limit}`}`;
  },
  diagramShape: 'wait',
});
