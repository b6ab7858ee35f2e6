import type { Appended } from '../appended-lists.ts';
import type { Json } from '../json.ts';
import type { Usage } from '../messages.ts';

/** `waiting`: for a person, an event, a time or a child execution; `held`: awaits an approval that a policy requires. */
export const ATTEMPT_STATUSES = ['queued', 'active', 'waiting', 'held', 'done', 'failed', 'cancelled'] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];
export const VISIT_STATUSES = [...ATTEMPT_STATUSES, 'retrying', 'skipped'] as const;
export type VisitStatus = (typeof VISIT_STATUSES)[number];

/** One attempt at the work of a node, as the API returns it. Nodes that do no work have one attempt per visit. */
export interface NodeAttempt {
  /** 0-based, as in events. */
  readonly attempt: number;
  readonly status: AttemptStatus;
  /** When it was queued; null = it never was: nodes that wait, control nodes. */
  readonly queued_at: string | null;
  /** Null = it has not begun, or failed before. */
  readonly started_at: string | null;
  readonly completed_at: string | null;
  /** Milliseconds: as the worker measured them, else from start to end. */
  readonly duration_ms: number | null;
  /** What it was given. Absent: nothing, or it is not recorded (`input_omitted`), or it was the whole state (`input_from`). */
  readonly input?: Json;
  /** The input was the whole state after the event `input_sequence`. */
  readonly input_from?: 'state';
  readonly input_sequence?: number;
  readonly input_omitted?: true;
  /** What it gave back; absent until it has. */
  readonly output?: Json;
  /** What it changed in the state, where that is not its output. */
  readonly state_patch?: Json;
  /** Lists of which the patch has only the items that the state did not have before, as in its `node_completed`. */
  readonly appended?: Appended;
  /** Fields of its `node_failed`; absent unless it failed. */
  readonly error?: string;
  readonly error_name?: string;
  readonly error_class?: string;
  readonly http_status?: number;
  readonly stack?: string;
  readonly cause?: Json;
  readonly errors?: Json;
  /** Whether another attempt follows. */
  readonly retryable?: boolean;
  /** When the next attempt is queued; absent unless it follows after a delay. */
  readonly next_attempt_at?: string;
  /** Null = none was reported. */
  readonly usage: Usage | null;
  readonly worker_id: string | null;
  /** The queue of external work. */
  readonly queue?: string;
  readonly child_execution_id?: string;
  /** Personal data was replaced, as the data policy says. */
  readonly redacted?: true;
}

/** A decision of a person. */
export interface VisitDecision {
  readonly decision: string;
  readonly user_id: string;
  readonly comment: string | null;
  readonly decided_at: string;
}

/** A condition that was evaluated when the visit ended. */
export interface EvaluatedCondition {
  readonly target: string;
  readonly condition: string;
  readonly value?: Json;
  /** Why it could not be evaluated; it counts as false. */
  readonly problem?: string;
}

/** How far a visit is with the items of a list, as the API returns it. */
export interface VisitItems {
  readonly total: number;
  readonly succeeded: number;
  /** For good. */
  readonly failed: number;
  readonly cancelled: number;
  /** In progress: queued, at work, held, or between two attempts. */
  readonly open: number;
}

/** `184 of 200, 2 failed`. */
export function itemsText({ total, succeeded, failed }: VisitItems): string {
  return `${succeeded + failed} of ${total}${failed === 0 ? '' : `, ${failed} failed`}`;
}

/** A visit to a node, as the API returns it. */
export interface NodeVisit {
  /** 1, 2, 3 …; 0 = work that was enqueued beside the workflow. */
  readonly activation: number;
  readonly status: VisitStatus;
  /** Why it was skipped. */
  readonly reason?: string;
  /** Oldest first. */
  readonly attempts: readonly NodeAttempt[];
  /** Number of attempts, those that are left out included. */
  readonly attempts_total: number;
  /** What a person is asked. */
  readonly question?: string;
  readonly decisions?: readonly VisitDecision[];
  readonly blocked_by?: string;
  /** Targets of the edges that were followed; absent until the visit has ended, and where there are none. */
  readonly taken?: readonly string[];
  readonly evaluated?: readonly EvaluatedCondition[];
  /** Of a node that does the same work for every item of a list. Their attempts are not among `attempts`. */
  readonly items?: VisitItems;
}
