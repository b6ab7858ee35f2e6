import type { Caller } from '../runtime/types/caller.ts';
import type { CancelSignal } from '../runtime/types/cancel-signal.ts';
import type {
  Decision,
  EventReceipt,
  EventRequest,
  EventView,
  ExecutionView,
  StartRequest,
} from '../runtime/types/executions.ts';
import type { Runtime } from '../runtime/types/runtime.ts';
import type { WorkflowTypes } from './definition.ts';
import type { ExecutionEvent } from './events.ts';
import { plainJson } from './spelling.ts';

/** An execution of a workflow that was defined in TypeScript, as it is at a time. */
export type ExecutionOf<Types extends WorkflowTypes> = Omit<ExecutionView, 'state' | 'input'> & {
  /** Keys that only later nodes write may be missing. */
  readonly state: Types['state'];
  readonly input: Types['input'];
};

/** How an execution is started. */
export interface StartOptions
  extends Pick<
    StartRequest,
    'labels' | 'thread' | 'key' | 'ifRunning' | 'startAtMs' | 'delayMs' | 'idempotencyKey' | 'subjectToken'
  > {
  /** Whether the input must fit the schema of the state; rejects with `invalid_input`, naming each key, otherwise. Default: true. */
  readonly checkInput?: boolean;
}

/** An execution that was started from its definition. Its methods are those of the runtime, for this execution. */
export interface StartedExecution<Types extends WorkflowTypes> {
  readonly executionId: string;
  /** An earlier request with the same idempotency key started it. */
  readonly replayed: boolean;
  /** The execution as it is now. */
  read(): Promise<ExecutionOf<Types>>;
  /** Resolves when it has ended or is paused, and after `waitMs` milliseconds (default and maximum 60,000) at the latest. */
  settled(waitMs?: number, signal?: CancelSignal): Promise<ExecutionOf<Types>>;
  /** Its log from the event after sequence `after`, then live, until it has ended or `signal` aborts. */
  events(options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<ExecutionEvent>;
  /** Sends an event that a node waits for, or will. A payload that does not fit its schema is a `payloadProblem`, or with `strict` rejects with `invalid_input`. */
  sendEvent<Key extends keyof Types['events'] & string>(
    key: Key,
    payload: Types['events'][Key],
    options?: Pick<EventRequest, 'idempotencyKey' | 'strict'>,
  ): Promise<EventReceipt>;
  /** Decides a pending approval. */
  approve(
    decision: Omit<Decision, 'decision' | 'nodeId'> & {
      readonly decision: 'approved' | 'rejected';
      /** A node of the workflow, or one that stands for a part of it, as `helper.refund` for a tool of an agent. */
      readonly nodeId?: Types['nodeId'] | `${Types['nodeId']}.${string}`;
    },
  ): Promise<{ readonly nodeId: string }>;
  cancel(reason?: string): Promise<void>;
}

/** The execution of an id, which the caller may use. */
export function executionOf<Types extends WorkflowTypes>(
  runtime: Runtime,
  caller: Caller,
  { executionId, replayed }: Pick<StartedExecution<Types>, 'executionId' | 'replayed'>,
): StartedExecution<Types> {
  const { tenantId } = caller;
  const typed = (view: ExecutionView): ExecutionOf<Types> => view;
  return {
    executionId,
    replayed,
    read: async () => typed(await runtime.execution(tenantId, executionId)),
    settled: async (waitMs, signal) => typed(await runtime.settled(tenantId, executionId, waitMs, signal)),
    events: (options) => typedEvents(runtime.subscribe(tenantId, executionId, options)),
    sendEvent: (key, payload, options) =>
      runtime.sendEvent(caller, executionId, { key, payload: plainJson(payload), ...options }),
    approve: (decision) => runtime.approve(caller, executionId, decision),
    cancel: (reason) => runtime.cancel(caller, executionId, reason),
  };
}

/** The data of each event is what its schema says: the runtime has written it. */
export function typedEvents(events: AsyncIterable<EventView>): AsyncIterable<ExecutionEvent> {
  return events as AsyncIterable<ExecutionEvent>;
}
