import type { Json } from '../../../machines/json.ts';
import type { Fork, Message } from '../../../machines/messages.ts';
import type { Refused, Run, Segment, StepResult } from '../../../machines/run.ts';
import type { EventRow, IdempotencyRow } from '../../../store/port/executions.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { NewWorkItem } from '../../../store/port/work-items.ts';
import type { Actor } from '../actor.ts';
import type { IgnoredState } from '../types/executions.ts';
import type { Identity } from './loading/cached-execution.ts';
import type { LoadedWorkflow } from './loading/workflow-cache.ts';

/** A new execution that is about to be stored. */
export interface ExecutionStart {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly identity: Identity;
  readonly deadlineAtMs: number | null;
  readonly input: Json;
  /** When it begins, in milliseconds since 1970; absent = at once. */
  readonly startAtMs?: number;
  /** Of an execution that continues another one. */
  readonly continues?: Segment;
  /** Absent: the execution starts at the start of its workflow. */
  readonly copiedHistory?: CopiedHistory;
}

/** The beginning of another execution's log, which a fork shares. */
export interface CopiedHistory {
  readonly events: readonly EventRow[];
  /** Payloads that the events refer to. */
  readonly artifacts: readonly Artifact[];
  /** The run that the events lead to, in the fork's own workflow version. */
  readonly run: Run;
  readonly message: Fork;
}

/** What the store must find when it commits the message's effects; otherwise the message is rejected. */
export interface Preconditions {
  /** The timer that fired must still be set as it was then. */
  readonly fire?: { readonly id: string; readonly armedSeq: number };
  /** The work item must be open, and claimed under that fence if one is given. */
  readonly settle?: { readonly id: string; readonly fence: number | null };
  /** The work item of the node must be claimed under that fence. It is settled if the step ends the attempt or parks it, else it stays claimed. */
  readonly hold?: { readonly id: string; readonly fence: number; readonly node: string };
  /** The message of the inbox that this is. It is consumed whether or not the step takes it. */
  readonly inboxId?: number;
  /** The runtime whose in-process work was lost. The message is rejected once another runtime has taken the execution over. */
  readonly lostOwner?: string;
  /** The sender does the in-process work of the execution. The message is rejected if another runtime owns it. */
  readonly fromOwner?: true;
  /** Also consume the timer or work item if the machine refuses the message; otherwise it would be redelivered forever. */
  readonly always?: boolean;
}

export interface MessageOptions {
  readonly actor: Actor;
  /** The tenant that sends it, to which executions of others are unknown; absent = the runtime itself does. */
  readonly tenantId?: string;
  /** A work item to put on its queue if the step takes the message. */
  readonly workItem?: NewWorkItem;
  readonly preconditions?: Preconditions;
  /** Processed before all messages that are not urgent, of any tenant. */
  readonly urgent?: true;
  /** The run to step instead of the ended one, which must still be at the same sequence. */
  readonly retryFrom?: Run;
  /** Makes the response to remember under the request's idempotency key. `executionId`: the execution that takes the message. */
  readonly idempotencyRow?: (outcome: StepResult, executionId: string) => IdempotencyRow;
}

/** What a message led to: a step, or why it was rejected, by the machine or by the runtime. */
export type MessageOutcome = StepResult | RefusedMessage;

export interface RefusedMessage {
  /** `thread`: a thread is not as the turn has read it · `key`: another execution has the key. */
  readonly refused: Refused['refused'] | 'idempotency' | 'unknown' | 'thread' | 'key';
  readonly nodes: readonly string[];
  /** As of `Refused`. */
  readonly reason?: string;
  /** Sequence of the run that refused it; absent = the store did. */
  readonly seq?: number;
}

interface PendingMessage {
  readonly options: MessageOptions;
  readonly resolve: (outcome: MessageOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A message in a mailbox, or the start of the execution, with the promise of its sender. */
export type Envelope = PendingMessage &
  (
    | { readonly start: ExecutionStart; readonly message: null; readonly child: null }
    | {
        readonly start: null;
        readonly message: Message;
        /** A child execution to create in the same unit, if the step takes the message. */
        readonly child: ExecutionStart | null;
      }
  );

export const UNKNOWN: RefusedMessage = { refused: 'unknown', nodes: [] };

/** Did another tenant send the message than the one that the execution belongs to? */
export function isOfAnother({ options }: Envelope, { tenantId }: { readonly tenantId: string }): boolean {
  return options.tenantId !== undefined && options.tenantId !== tenantId;
}

/** What a step has left out of the state that it was given. */
export function ignoredIn({ ignored }: Pick<StepResult, 'ignored'>): IgnoredState {
  return ignored.length === 0 ? {} : { ignored };
}
