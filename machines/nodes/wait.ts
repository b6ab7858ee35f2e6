import { durationText } from '../duration.ts';
import { choice, name, readBy, seconds, target } from './fields.ts';
import { declareKind, defineKind, type TimeoutOutcome } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

const CONDITIONS = ['timer', 'external_event', 'either'] as const;

/** A timer fires; of `either` the event may come or not. */
const TIMEOUT_OUTCOMES: Readonly<Record<(typeof CONDITIONS)[number], TimeoutOutcome>> = {
  timer: 'continue',
  external_event: 'fail',
  either: 'continue_unless_routed',
};

const WAIT = declareKind({
  type: 'wait',
  description: 'Parks until a time has passed, an external event has come, or either.',
  attempts: false,
  fields: {
    condition: choice(
      CONDITIONS,
      'What it waits for. Default: `timer` when there is only a duration, else `external_event`.',
      // A duration without an event can only mean a timer.
      {
        default: (fields) =>
          fields.json('duration_secs') !== undefined && !fields.json('correlation_key') ? 'timer' : 'external_event',
      },
    ),
    correlation_key: name('Key of the event that it waits for. Default: the node id.', {
      default: ({ location }) => location.node_id ?? '',
      names: 'event',
      spellings: ['event'],
      distinctive: ['event', 'correlation_key'],
    }),
    on_timeout: target('Node id, or `end`, when no event came in time. Default: `fallback_node`, else the node fails.', {
      distinctive: true,
    }),
    ...OUTPUT,
    timeout_secs: readBy(
      seconds('Time until it times out. Default: no limit. A timer needs it.', { spellings: ['timeout'], distinctive: true }),
      (usual, fields) => {
        const lasting = fields.seconds(['duration_secs']);
        return usual() ?? lasting;
      },
    ),
    duration_secs: seconds('The time that a timer takes; the same as `timeout_secs`.', {
      only: 'document and file',
      spellings: ['duration'],
      distinctive: true,
      sameAs: 'timeout_secs',
    }),
  },
});

export const wait = defineKind(WAIT, {
  behaviour: () => 'wait',
  check({ condition, correlation_key: key }, fields) {
    if (condition === 'timer' && fields.json('timeout_secs', 'duration_secs') === undefined)
      fields.error('missing_key', 'timeout_secs', 'is required: a timer needs to know how long');
    if (key.includes('{{') && fields.json('correlation_key') !== undefined) {
      const hint = 'events are sent to one execution, so the key need not tell executions apart';
      fields.warning('literal_key', 'correlation_key', `is not a template: events need exactly the key "${key}"`, hint);
    }
  },
  waitsForEvent: (kind) => (kind.condition === 'timer' ? null : kind.correlation_key),
  parkTimeoutMs: ({ timeout_secs }) => (timeout_secs === undefined ? null : Math.round(timeout_secs * 1000)),
  timeoutOutcome: (kind) => TIMEOUT_OUTCOMES[kind.condition],
  outcomeEdgeHint: (kind) =>
    kind.condition === 'timer' ? null : 'to go there in any case, leave on_timeout out and make the condition "either"',
  complete(kind, { durations }) {
    const lasts = durations.has('duration_secs');
    const onlyTimesOut = durations.has('timeout_secs') && kind.on_timeout === undefined;
    if (kind.correlation_key !== undefined) kind.condition ??= lasts ? 'either' : 'external_event';
    else kind.condition ??= lasts || onlyTimesOut ? 'timer' : 'external_event';
  },
  testReplies: 'event',
  summary: (kind) => {
    const limit = kind.timeout_secs === undefined ? '' : durationText(kind.timeout_secs * 1_000);
    if (kind.condition === 'timer') return `waits ${limit}`;
    return `event ${kind.correlation_key}${limit === '' ? '' : `, ${limit}`}`;
  },
  diagramShape: 'wait',
});
