import type { Json } from '../../machines/json.ts';
import type { Fork, Message } from '../../machines/messages.ts';
import type { Refused, Run, Stepped } from '../../machines/run.ts';
import type { Artifact, EventRow, IdempotencyRow, NewExecution, NewWorkItem } from '../../store/rows.ts';
import type { Origin } from './origin.ts';
import type { Loaded } from './programs.ts';
import type { Starter } from './starter.ts';

/** A new execution about to be stored. */
export interface Birth extends NewExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: Loaded;
  readonly startedBy: Starter;
  readonly input: Json;
  /** Absent = it begins at the start of its workflow. */
  readonly past?: Past;
}

/** The beginning of another execution's log, which a fork has in common with it. */
export interface Past {
  readonly events: readonly EventRow[];
  /** What they refer to instead of holding it. */
  readonly artifacts: readonly Artifact[];
  /** Where they lead to, by the fork's own program. */
  readonly run: Run;
  readonly message: Fork;
}

/** What the store must find when it commits the message's effects, else the message is refused. */
export interface Conditions {
  readonly fire?: { readonly id: string; readonly armedSeq: number };
  readonly settle?: { readonly id: string; readonly fence: number | null };
  /** The inbox message this is; consumed whether or not the step takes it. */
  readonly consume?: number;
  /** The runtime whose in-process work was lost: refused once somebody else has taken the execution over. */
  readonly orphanOf?: string;
  /** Settle the item or timer also when the machine refuses the message: it would fall due for ever. */
  readonly always?: boolean;
}

export interface Draft {
  readonly origin: Origin;
  /** A work item to put on its queue if the step takes the message. */
  readonly put?: NewWorkItem;
  readonly conditions?: Conditions;
  /** Goes ahead of all that waits, whosever it is. */
  readonly urgent?: true;
  /** The run to take the message instead of the ended one, which must still stand at the same sequence. */
  readonly revived?: Run;
  /** The reply to remember, made from what the step did. */
  readonly remember?: (outcome: Stepped) => IdempotencyRow;
}

/** The reasons a message was not taken, beside the machine's own. */
export type Outcome = Stepped | Refused | { readonly refused: 'idempotency' | 'unknown'; readonly nodes: readonly string[] };

interface Posted {
  readonly draft: Draft;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A message in a mailbox, with what its sender waits for. */
export type Envelope = Posted &
  (
    | { readonly birth: Birth; readonly message: null; readonly child: null }
    | {
        readonly birth: null;
        readonly message: Message;
        /** A child execution created in the same unit, if the step takes the message. */
        readonly child: Birth | null;
      }
  );
