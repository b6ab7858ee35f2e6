import { durationText, momentMs } from '../duration.ts';
import { choice, isTemplate, name, outputSchema, readBy, seconds, target, text } from './fields.ts';
import { declareKind, defineKind, millisecondsOf, type TimeoutOutcome } from './kind.ts';
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
          fields.json('duration_secs', 'until') !== undefined && !fields.json('correlation_key') ? 'timer' : 'external_event',
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
    schema: outputSchema(
      'JSON Schema of the payload, as an object or as its JSON text. A payload that does not fit is refused (`invalid_input`) when its sender asks for `Prefer: handling=strict`, and taken with a warning otherwise. Default: any payload.',
      { distinctive: true },
    ),
    until: readBy(
      text(
        'Time until which it waits, beside or in the place of a duration: an ISO time such as `2026-12-24T18:00:00Z`, a duration such as `90s`, or a template that gives one of them, or seconds. A time in the past is over at once; what is neither fails the node with the class `validation`.',
        { distinctive: true },
      ),
      (usual, fields) => usual() ?? [fields.json('duration_secs'), fields.json('timeout_secs')].find(isTemplate),
    ),
    timeout_secs: readBy(
      seconds('Time until it times out. Default: no limit. A timer needs it, or `until`.', {
        spellings: ['timeout'],
        distinctive: true,
        template: 'until',
      }),
      (usual, fields) => {
        const lasting = isTemplate(fields.json('duration_secs')) ? undefined : fields.seconds(['duration_secs']);
        return usual() ?? lasting;
      },
    ),
    duration_secs: seconds('The time that a timer takes; the same as `timeout_secs`.', {
      only: 'document and file',
      spellings: ['duration'],
      distinctive: true,
      sameAs: 'timeout_secs',
      template: 'until',
    }),
  },
});

export const wait = defineKind(WAIT, {
  behaviour: () => 'wait',
  check({ condition, correlation_key: key, until, timeout_secs }, fields) {
    if (condition === 'timer' && fields.json('timeout_secs', 'duration_secs', 'until') === undefined)
      fields.error('missing_key', 'timeout_secs', 'is required: a timer needs to know how long');
    if (until !== undefined && timeout_secs !== undefined)
      fields.error('given_twice', 'until', 'says when its time is over, and so does a duration', 'remove one of the two');
    if (until !== undefined && !isTemplate(until) && momentMs(until, 0) === null)
      fields.error('bad_time', 'until', 'is no time', 'write an ISO time such as 2026-12-24T18:00:00Z, or a template');
    if (key.includes('{{') && fields.json('correlation_key') !== undefined) {
      const hint = 'events are sent to one execution, so the key need not tell executions apart';
      fields.warning('literal_key', 'correlation_key', `is not a template: events need exactly the key "${key}"`, hint);
    }
  },
  waitsForEvent: (kind) => (kind.condition === 'timer' ? null : kind.correlation_key),
  eventSchema: ({ schema }) => schema ?? null,
  startTemplate: ({ until }) => (until === undefined ? null : { key: 'until', template: until }),
  parkTimeout: ({ until, timeout_secs }) => (until === undefined ? millisecondsOf(timeout_secs) : 'template'),
  timeoutOutcome: (kind) => TIMEOUT_OUTCOMES[kind.condition],
  outcomeEdgeHint: (kind) =>
    kind.condition === 'timer' ? null : 'to go there in any case, leave on_timeout out and make the condition "either"',
  complete(kind, { durations }) {
    const lasts = durations.has('duration_secs');
    const onlyTimesOut = (durations.has('timeout_secs') || (kind.until !== undefined && !lasts)) && kind.on_timeout === undefined;
    if (kind.correlation_key !== undefined) kind.condition ??= lasts ? 'either' : 'external_event';
    else kind.condition ??= lasts || onlyTimesOut ? 'timer' : 'external_event';
  },
  testReplies: 'event',
  summary: (kind) => {
    const { timeout_secs: secs, until } = kind;
    const limit = until === undefined ? (secs === undefined ? '' : durationText(secs * 1_000)) : `until ${until}`;
    if (kind.condition === 'timer') return `waits ${limit}`;
    return `event ${kind.correlation_key}${limit === '' ? '' : `, ${limit}`}`;
  },
  diagramShape: 'wait',
});
