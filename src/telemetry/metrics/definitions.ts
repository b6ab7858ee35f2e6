import type { EventName, LabelsOf, MeasuresOf } from '../catalogue.ts';

interface Common {
  readonly name: `jamjet_${string}`;
  readonly help: string;
}

type OfEvent<Name extends EventName> = Common & {
  readonly event: Name;
  /** Labels of the event that the metric has. `tenant` is added if the operator asks for it. */
  readonly labels: readonly Exclude<keyof LabelsOf<Name>, 'tenant'>[];
} & (
    | { readonly type: 'counter'; readonly measure?: keyof MeasuresOf<Name> }
    | { readonly type: 'histogram'; readonly measure: keyof MeasuresOf<Name>; readonly buckets: readonly number[] }
  );

/** A metric that is derived from one measure of one event; without a measure, it counts the events. */
export type EventMetric = { [Name in EventName]: OfEvent<Name> }[EventName];

const FAST = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const USUAL = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const LONG = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 512];

/** The metrics of `GET /metrics` that follow from events. Names follow https://prometheus.io/docs/practices/naming/. */
export const EVENT_METRICS: readonly EventMetric[] = [
  {
    type: 'counter',
    name: 'jamjet_executions_started_total',
    help: 'Executions that were started.',
    event: 'execution_started',
    labels: ['workflow'],
  },
  {
    type: 'counter',
    name: 'jamjet_executions_ended_total',
    help: 'Executions that have ended, by their status.',
    event: 'execution_ended',
    labels: ['workflow', 'status'],
  },
  {
    type: 'histogram',
    name: 'jamjet_execution_duration_seconds',
    help: 'Time from the start of an execution to its end, waits included.',
    event: 'execution_ended',
    labels: ['workflow', 'status'],
    measure: 'duration_seconds',
    buckets: LONG,
  },
  {
    type: 'counter',
    name: 'jamjet_attempts_started_total',
    help: 'Attempts of nodes that began.',
    event: 'attempt_started',
    labels: ['workflow', 'kind'],
  },
  {
    type: 'counter',
    name: 'jamjet_attempts_ended_total',
    help: 'Attempts of nodes that have ended: completed, failed or cancelled.',
    event: 'attempt_ended',
    labels: ['workflow', 'kind', 'outcome'],
  },
  {
    type: 'histogram',
    name: 'jamjet_attempt_duration_seconds',
    help: 'Duration of attempts of nodes.',
    event: 'attempt_ended',
    labels: ['kind', 'outcome'],
    measure: 'duration_seconds',
    buckets: USUAL,
  },
  {
    type: 'counter',
    name: 'jamjet_retries_total',
    help: 'Further attempts that were scheduled after a failed one.',
    event: 'retry_scheduled',
    labels: ['workflow', 'kind'],
  },
  {
    type: 'counter',
    name: 'jamjet_model_input_tokens_total',
    help: 'Tokens of prompts, as providers report them.',
    event: 'model_used',
    labels: ['provider', 'model'],
    measure: 'input_tokens',
  },
  {
    type: 'counter',
    name: 'jamjet_model_output_tokens_total',
    help: 'Tokens of answers, as providers report them.',
    event: 'model_used',
    labels: ['provider', 'model'],
    measure: 'output_tokens',
  },
  {
    type: 'counter',
    name: 'jamjet_model_cost_usd_total',
    help: 'Cost of model calls in US dollars, where it is known.',
    event: 'model_used',
    labels: ['provider', 'model'],
    measure: 'cost_usd',
  },
  {
    type: 'counter',
    name: 'jamjet_work_items_claimed_total',
    help: 'Work items that were given to external workers.',
    event: 'work_claimed',
    labels: ['queue'],
  },
  {
    type: 'histogram',
    name: 'jamjet_work_item_wait_seconds',
    help: 'Time that work items waited on their queues until they were claimed.',
    event: 'work_claimed',
    labels: ['queue'],
    measure: 'waited_seconds',
    buckets: USUAL,
  },
  {
    type: 'counter',
    name: 'jamjet_leases_expired_total',
    help: 'Leases of work items that workers did not renew in time.',
    event: 'lease_expired',
    labels: [],
  },
  {
    type: 'histogram',
    name: 'jamjet_timer_lateness_seconds',
    help: 'Time between the moment at which a timer, lease, deadline or workflow timeout was due and its delivery.',
    event: 'due_delivered',
    labels: ['kind'],
    measure: 'late_seconds',
    buckets: USUAL,
  },
  {
    type: 'histogram',
    name: 'jamjet_step_duration_seconds',
    help: 'Computing time of the steps of one execution in one batch.',
    event: 'messages_stepped',
    labels: [],
    measure: 'duration_seconds',
    buckets: FAST,
  },
  {
    type: 'counter',
    name: 'jamjet_messages_total',
    help: 'Messages that were stepped.',
    event: 'messages_stepped',
    labels: [],
    measure: 'messages',
  },
  {
    type: 'histogram',
    name: 'jamjet_commit_duration_seconds',
    help: 'Time until the database had stored a batch.',
    event: 'batch_committed',
    labels: [],
    measure: 'duration_seconds',
    buckets: FAST,
  },
  {
    type: 'histogram',
    name: 'jamjet_commit_batch_executions',
    help: 'Executions in one batch.',
    event: 'batch_committed',
    labels: [],
    measure: 'executions',
    buckets: SIZES,
  },
  {
    type: 'counter',
    name: 'jamjet_events_total',
    help: 'Events that were handed to the database.',
    event: 'batch_committed',
    labels: [],
    measure: 'events',
  },
  {
    type: 'counter',
    name: 'jamjet_commit_conflicts_total',
    help: 'Executions that the database left out of a batch, because another process had changed them; they are stepped again.',
    event: 'batch_committed',
    labels: [],
    measure: 'rejected',
  },
  {
    type: 'counter',
    name: 'jamjet_commit_failures_total',
    help: 'Executions whose steps could not be stored.',
    event: 'batch_committed',
    labels: [],
    measure: 'failed',
  },
];
