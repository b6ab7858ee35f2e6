import type { Json } from '../../machines/json.ts';
import type { Usage } from '../../machines/messages.ts';
import type { Work } from '../../machines/run.ts';
import { toStorableText } from '../../machines/unicode.ts';

/** What an attempt may know of its surroundings. */
export interface WorkContext {
  /** Aborted on deadline, cancel, and when the runtime stops. */
  readonly signal: AbortSignal;
  /** Whose execution it is. */
  readonly tenantId: string;
  readonly executionId: string;
  readonly nodeId: string;
  /** 0-based; durable before the work begins, higher after a crash. */
  readonly attempt: number;
  /** The same for every attempt of one visit to the node. */
  readonly idempotencyKey: string;
  /**
   * Who started the execution: the name of a token, or `cron:<name>` for a cron job. Of a child, whoever started its topmost ancestor; of a
   * fork, whoever forked.
   */
  readonly startedBy: { readonly actorId: string; readonly actorType: 'human' | 'agent' | 'system' };
  /** Of the execution. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface WorkResult {
  readonly output: Json;
  /** Absent = derived from the output by the node's kind. */
  readonly patch?: Json;
  readonly usage?: Usage;
}

/** One way of doing a node's work in process. Rejects with `WorkError`, or anything else (then it is worth a retry). */
export type Executor = (work: Work, context: WorkContext) => Promise<WorkResult>;

/** A failed attempt: its class decides with the retry policy's `retryable_on` whether there is another. */
export class WorkError extends Error {
  readonly retryable: boolean;
  /** `io_error`, `timeout`, `rate_limit`, `server_error`, `connection_reset`, `validation` … */
  readonly errorClass: string | null;
  /** Of the HTTP response that was taken for a failure. */
  readonly httpStatus: number | null;

  constructor(
    message: string,
    options: ErrorOptions & { readonly retryable: boolean; readonly errorClass?: string; readonly httpStatus?: number },
  ) {
    super(toStorableText(message), options);
    this.name = 'WorkError';
    this.retryable = options.retryable;
    this.errorClass = options.errorClass === undefined ? null : toStorableText(options.errorClass);
    this.httpStatus = options.httpStatus ?? null;
  }
}
