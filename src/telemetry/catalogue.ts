/** What an event measures, and what it is counted by. The source of the table in docs/telemetry.md. */
export interface EventDefinition {
  readonly description: string;
  /** By name, each with its description. `null` in an event: not known, e.g. after a restart in between. */
  readonly measures: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
}

const WORKFLOW = ['tenant', 'workflow'] as const;
const NODE = [...WORKFLOW, 'kind'] as const;

/**
 * Everything that telemetry learns of a runtime: the one place where its events, measures and labels are defined. None contains inputs,
 * outputs, errors or names of people.
 */
export const CATALOGUE = {
  execution_started: {
    description: 'An execution was started, by a client, a schedule, a fork or as a child.',
    measures: {},
    labels: WORKFLOW,
  },
  execution_ended: {
    description: 'An execution has ended. After a retry it may end again.',
    measures: { duration_seconds: 'Seconds since it was started, waits included.' },
    labels: [...WORKFLOW, 'status'],
  },
  attempt_started: {
    description: 'A worker, or this process, began an attempt of a node.',
    measures: {},
    labels: NODE,
  },
  attempt_ended: {
    description: 'An attempt has ended; `outcome`: `completed`, `failed`, `cancelled` or `lost`.',
    measures: { duration_seconds: 'Seconds since it began; unknown if this process did not see it begin.' },
    labels: [...NODE, 'outcome'],
  },
  retry_scheduled: {
    description: 'Another attempt will follow a failed one.',
    measures: { delay_seconds: 'Seconds until then.' },
    labels: NODE,
  },
  model_used: {
    description: 'An attempt has reported what it used of a model, whether or not it succeeded.',
    measures: {
      input_tokens: 'Tokens of the prompt.',
      output_tokens: 'Tokens of the answer.',
      cost_usd: 'Cost in US dollars.',
    },
    labels: [...WORKFLOW, 'provider', 'model'],
  },
  lease_expired: {
    description: 'A worker did not renew the lease of its work item in time, so that its attempt failed.',
    measures: {},
    labels: [],
  },
  work_claimed: {
    description: 'An external worker was given a work item.',
    measures: { waited_seconds: 'Seconds that the item waited on its queue.' },
    labels: ['tenant', 'queue'],
  },
  due_delivered: {
    description: 'A timer, lease, deadline or workflow timeout fell due; `kind` says which.',
    measures: { late_seconds: 'Seconds between the time it was due and its delivery.' },
    labels: ['kind'],
  },
  messages_stepped: {
    description: 'Messages of one execution were stepped.',
    measures: { messages: 'How many.', duration_seconds: 'Seconds of computing.' },
    labels: [],
  },
  batch_committed: {
    description: 'Steps were committed in one transaction.',
    measures: {
      executions: 'Executions in the batch.',
      events: 'Events in the batch.',
      duration_seconds: 'Seconds until the database had stored it.',
      rejected: 'Executions that the database left out, because another process had changed them; they are stepped again.',
      failed: 'Executions that could not be stored.',
    },
    labels: [],
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;

type Catalogue = typeof CATALOGUE;
export type EventName = keyof Catalogue;

export type LabelsOf<Name extends EventName> = Readonly<Record<Catalogue[Name]['labels'][number], string>>;
export type MeasuresOf<Name extends EventName> = Readonly<Record<keyof Catalogue[Name]['measures'], number | null>>;

/** An event of the catalogue, as a union by `name`. */
export type TelemetryEvent = {
  [Name in EventName]: { readonly name: Name; readonly labels: LabelsOf<Name>; readonly measures: MeasuresOf<Name> };
}[EventName];
