import type { ProgressType } from '../../machines/events/index.ts';
import type { ResultRole } from '../../machines/graph/edges.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { ThreadTurn, Usage } from '../../machines/messages.ts';
import type { Work } from '../../machines/run.ts';
import { toStorableText } from '../../machines/unicode.ts';
import type { FailureDetails } from './failure-description.ts';
import type { JournalAccess } from './journal-access.ts';
import type { ToolMemory } from './memory/connector.ts';
import type { ToolThread } from './threads/message.ts';
import type { ThreadReading, ThreadWindow } from './threads/reading.ts';
import type { ReportedUsage } from './tool-context/reported-usage.ts';
import type { ToolLog } from './tool-context/tool-log.ts';

/** What an executor is told about the attempt it carries out. */
export interface WorkContext {
  /** Aborted at the deadline, when the node is cancelled and when the runtime stops. */
  readonly signal: AbortSignal;
  /** The tenant that owns the execution. */
  readonly tenantId: string;
  readonly executionId: string;
  readonly nodeId: string;
  /** 0-based. Committed before the work begins, so it is higher after a crash. */
  readonly attempt: number;
  /** The same for every attempt of one visit to the node. */
  readonly idempotencyKey: string;
  /**
   * Who started the execution: the name of a token, or `cron:<name>` for a cron job. For a child execution, who started its root; for a
   * fork, who forked it.
   */
  readonly startedBy: { readonly actorId: string; readonly actorType: 'human' | 'agent' | 'system' };
  /** Labels of the execution. */
  readonly labels: Readonly<Record<string, string>>;
  /** Texts that executions of the tenant remember. What is added is stored at once, whether or not the attempt succeeds. */
  readonly memory: ToolMemory;
  /** In process: the thread of the agent that calls the tool, or with which the execution was started. Absent = there is none. */
  readonly thread?: ToolThread;
  /**
   * Adds to what the attempt has used: tokens, and cost in USD. Budgets and monthly limits count it, also if the attempt fails. Throws
   * `WorkError` for what is not a number of 0 or more.
   */
  readonly reportUsage: (usage: ReportedUsage) => void;
  /** Writes to the log of this process, with execution, node, attempt and tenant. */
  readonly log: ToolLog;
  /**
   * Says how far the attempt is: a number from 0 to 1, or a text of up to 200 characters. Both are kept. It is shown while the attempt
   * runs, and not stored. May be called as often as convenient. Throws `WorkError` for anything else.
   */
  readonly progress: (progress: number | string) => void;
  /**
   * Resolves if the attempt is still wanted, else rejects with the reason of `signal`. An external worker renews the lease of its work item,
   * which it does by itself, too, unless the tool blocks the event loop.
   */
  readonly heartbeat: () => Promise<void>;
  /**
   * Place of the attempt in a trace, to be sent as the header `traceparent`; absent if the execution is not part of one
   * (https://www.w3.org/TR/trace-context/).
   */
  readonly traceparent?: string;
  /**
   * Takes what the attempt has used so far, for the case that it is given up before it ends. Returns a function that ends that: the outcome of the
   * attempt has it from then on.
   */
  readonly meter?: (used: () => Usage | null) => () => void;
  /**
   * Logs what a call has used that the outcome of the attempt does not have, as `usage_recorded`. Rejects with `WorkError` if the attempt is over, by
   * which its use was counted.
   */
  readonly logUsage?: (usage: Usage) => Promise<void>;
  /** Whether the text holds personal data by the data policies of the workflow: what is remembered beside the log must not. */
  readonly isPersonal?: (text: string) => boolean;
  /** Begins a turn in a thread: waits until the earlier turns of this process there are committed. Rejects with `WorkError`. */
  readonly beginTurn?: (thread: Json, window: ThreadWindow) => Promise<ThreadReading>;
  /** For nodes with `oauth_scopes`: acts for the person on whose behalf the execution runs. */
  readonly accessToken?: { readonly token: string; readonly scopes: readonly string[] };
}

/** What a tool is told of the attempt for which it is called. */
export interface ToolContext extends Omit<WorkContext, 'beginTurn' | 'logUsage' | 'meter'> {}

export interface WorkResult {
  readonly output: Json;
  /** Merge patch for the state. Absent = the node's kind derives it from the output. */
  readonly patch?: Json;
  readonly usage?: Usage;
  /** The route that the result asks for, if the node names one. */
  readonly route?: ResultRole;
  /** What the turn adds to a thread. */
  readonly thread?: ThreadTurn;
  /** A durable function only waits since the run at this sequence: the attempt begins again when something has come. */
  readonly parkedAt?: number;
}

/**
 * Logs an event of the attempt, whose data later attempts of the visit get (`Work.progress`). Resolves once it is committed; rejects with
 * `WorkError` if the attempt is over.
 */
export type LogProgress = (event: ProgressType, data: JsonObject) => Promise<void>;

/** Carries out a node's work in process; `journal` is there for a durable function; `onText` takes parts of a text that is shown before the result. Rejects with `WorkError`; any other rejection counts as retryable. */
export interface Executor {
  (
    work: Work,
    context: WorkContext,
    onText?: (text: string) => void,
    log?: LogProgress,
    journal?: JournalAccess,
  ): Promise<WorkResult>;
  /** Gives up what the attempts of a visit have begun elsewhere, once the visit has ended without a result. Called once, if it can be. */
  readonly release?: (abandoned: Abandoned) => Promise<void>;
  /** What an attempt has used, as an estimate, whose outcome was lost with its process. Null = nothing that is known. May throw `WorkError`. */
  readonly lost?: (work: Work, nodeId: string) => Usage | null;
}

/** A visit that has ended without a result. */
export interface Abandoned {
  readonly tenantId: string;
  readonly executionId: string;
  readonly nodeId: string;
  /** What its attempts have logged. Never empty. */
  readonly progress: Work['progress'];
  /** Class of the failure that ended it; null = it was cancelled, or its failure has none. */
  readonly errorClass: string | null;
  readonly signal: AbortSignal;
}

/** A failed attempt. Its class is matched against the retry policy's `retryable_on`. */
export class WorkError extends Error {
  readonly retryable: boolean;
  /** `io_error`, `timeout`, `rate_limit`, `server_error`, `connection_reset`, `validation` … */
  readonly errorClass: string | null;
  /** Status of the HTTP response that made the attempt fail; null = no response. */
  readonly httpStatus: number | null;
  /** Milliseconds after which the service may be asked again, as it says; null = it does not say. */
  readonly retryAfterMs: number | null;
  /** What the attempt used all the same; null = nothing that is known. */
  readonly usage: Usage | null;
  /** Name, stack and causes of what a function has thrown, to be logged; null = the message says all that may be shown. */
  readonly details: FailureDetails | null;

  constructor(
    message: string,
    options: ErrorOptions & {
      readonly retryable: boolean;
      readonly errorClass?: string;
      readonly httpStatus?: number;
      readonly retryAfterMs?: number;
      readonly usage?: Usage;
      readonly details?: FailureDetails;
    },
  ) {
    super(toStorableText(message), options);
    this.name = 'WorkError';
    this.retryable = options.retryable;
    this.errorClass = options.errorClass === undefined ? null : toStorableText(options.errorClass);
    this.httpStatus = options.httpStatus ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.usage = options.usage ?? null;
    this.details = options.details ?? null;
  }

  /** The same failure of an attempt that has used something. */
  withUsage(usage: Usage): WorkError {
    return this.with({ usage });
  }

  /** The same failure with what is different. */
  with(change: {
    readonly message?: string;
    readonly usage?: Usage;
    readonly details?: FailureDetails;
    readonly errorClass?: string;
    readonly retryable?: boolean;
  }): WorkError {
    const { cause, httpStatus, retryAfterMs } = this;
    const retryable = change.retryable ?? this.retryable;
    const errorClass = change.errorClass ?? this.errorClass;
    // What the message must not have may be in the cause, too.
    const origin = change.message === undefined ? { cause } : {};
    const usage = change.usage ?? this.usage;
    const details = change.details ?? this.details;
    return new WorkError(change.message ?? this.message, {
      retryable,
      ...origin,
      ...(usage === null ? {} : { usage }),
      ...(details === null ? {} : { details }),
      ...(errorClass === null ? {} : { errorClass }),
      ...(httpStatus === null ? {} : { httpStatus }),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
}
