import type { Json } from '../../../machines/json.ts';
import type { Fork, Message } from '../../../machines/messages.ts';
import type { Refused, Run, StepResult } from '../../../machines/run.ts';
import type { EventRow, IdempotencyRow, NewExecution } from '../../../store/port/executions.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { NewWorkItem } from '../../../store/port/work-items.ts';
import type { Actor } from '../actor.ts';
import type { Starter } from './loading/starter.ts';
import type { LoadedWorkflow } from './loading/workflow-cache.ts';

/** A new execution about to be stored. */
export interface ExecutionStart extends NewExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly startedBy: Starter;
  readonly input: Json;
  /** Absent = it begins at the start of its workflow. */
  readonly copiedHistory?: CopiedHistory;
}

/** The beginning of another execution's log, which a fork has in common with it. */
export interface CopiedHistory {
  readonly events: readonly EventRow[];
  /** What they refer to instead of holding it. */
  readonly artifacts: readonly Artifact[];
  /** Where they lead to, by the fork's own program. */
  readonly run: Run;
  readonly message: Fork;
}

/** What the store must find when it commits the message's effects, else the message is refused. */
export interface Preconditions {
  readonly fire?: { readonly id: string; readonly armedSeq: number };
  readonly settle?: { readonly id: string; readonly fence: number | null };
  /** The inbox message this is; consumed whether or not the step takes it. */
  readonly inboxId?: number;
  /** The runtime whose in-process work was lost: refused once somebody else has taken the execution over. */
  readonly lostOwner?: string;
  /** Settle the item or timer also when the machine refuses the message: it would fall due for ever. */
  readonly always?: boolean;
}

export interface MessageOptions {
  readonly actor: Actor;
  /** A work item to put on its queue if the step takes the message. */
  readonly workItem?: NewWorkItem;
  readonly preconditions?: Preconditions;
  /** Goes ahead of all that waits, whosever it is. */
  readonly urgent?: true;
  /** The run to take the message instead of the ended one, which must still stand at the same sequence. */
  readonly retryFrom?: Run;
  /** The reply to remember, made from what the step did. */
  readonly idempotencyRow?: (outcome: StepResult) => IdempotencyRow;
}

/** The reasons a message was not taken, beside the machine's own. */
export type MessageOutcome =
  | StepResult
  | Refused
  | { readonly refused: 'idempotency' | 'unknown'; readonly nodes: readonly string[] };

interface PendingMessage {
  readonly options: MessageOptions;
  readonly resolve: (outcome: MessageOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A message in a mailbox, with what its sender waits for. */
export type Envelope = PendingMessage &
  (
    | { readonly birth: ExecutionStart; readonly message: null; readonly child: null }
    | {
        readonly birth: null;
        readonly message: Message;
        /** A child execution created in the same unit, if the step takes the message. */
        readonly child: ExecutionStart | null;
      }
  );
