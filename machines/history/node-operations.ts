import type { Json } from '../json.ts';
import { type HistoryEvent, numberOf, textOf } from './event.ts';
import type { VisitStatus } from './node-visit.ts';

/** An operation of a durable function, as its journal has it. */
export interface NodeOperation {
  /** Its place among those of the visit, in the order in which they began: 1, 2, 3 … */
  readonly operation: number;
  readonly name: string;
  /** `step`, `value`, `sleep`, `event`, `approval`, `call` … */
  readonly kind: string;
  readonly status: VisitStatus;
  /** Number of attempts. */
  readonly attempts: number;
  /** Its result; absent while it has none. */
  readonly output?: Json;
  /** Of the last attempt that failed. */
  readonly error?: string;
  /** Was the time of the wait over first? */
  readonly timedOut: boolean;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Milliseconds of the attempt that succeeded, or of the wait. */
  readonly durationMs: number | null;
}

/** Kinds that wait for a person, an event or a time. */
const WAITS: readonly unknown[] = ['sleep', 'event', 'approval'];
/** After these events, what has no result gets none any more. */
const ENDS: readonly string[] = ['node_completed', 'node_failed', 'node_cancelled'];

/** The operations of one visit to a durable function, from the events of its node in order. */
export class NodeOperations {
  readonly #activation: number;
  readonly #operations = new Map<number, NodeOperation>();

  constructor(activation: number) {
    this.#activation = activation;
  }

  /** In the order in which they began. */
  all(): readonly NodeOperation[] {
    return [...this.#operations.values()];
  }

  apply({ type, data, created_at: at }: HistoryEvent): void {
    if ((numberOf(data.activation) ?? 1) !== this.#activation) return;
    if (ENDS.includes(type) && data.retryable !== true) this.#endOpen(at);
    const number = numberOf(data.operation);
    const known = number === null ? undefined : this.#operations.get(number);
    if (number === null) return;
    if (type === 'step_started') this.#operations.set(number, begun(number, data, at, known));
    else if (known !== undefined) this.#operations.set(number, Object.assign({}, known, changeBy(type, data, at, known)));
  }

  #endOpen(at: string): void {
    for (const [number, operation] of this.#operations) {
      if (operation.endedAt !== null) continue;
      this.#operations.set(number, Object.assign({}, operation, { status: 'cancelled' as const, endedAt: at }));
    }
  }
}

function begun(operation: number, data: HistoryEvent['data'], at: string, known: NodeOperation | undefined): NodeOperation {
  const kind = textOf(data.kind) || 'step';
  return {
    operation,
    name: textOf(data.name),
    kind,
    status: WAITS.includes(kind) ? 'waiting' : 'active',
    attempts: (numberOf(data.attempt) ?? 0) + 1,
    ...(known?.error === undefined ? {} : { error: known.error }),
    timedOut: false,
    startedAt: known?.startedAt ?? at,
    endedAt: null,
    durationMs: null,
  };
}

function changeBy(type: string, data: HistoryEvent['data'], at: string, { startedAt }: NodeOperation): Partial<NodeOperation> {
  switch (type) {
    case 'step_completed':
      return {
        status: 'done',
        output: data.output ?? null,
        timedOut: data.timed_out === true,
        endedAt: at,
        durationMs: numberOf(data.duration_ms) ?? Date.parse(at) - Date.parse(startedAt),
      };
    case 'step_failed': {
      const attempts = (numberOf(data.attempt) ?? 0) + 1;
      const error = textOf(data.error);
      return typeof data.delay_ms === 'number'
        ? { status: 'retrying', attempts, error }
        : { status: 'failed', attempts, error, endedAt: at };
    }
    case 'step_cancelled':
      return { status: 'cancelled', endedAt: at };
    default:
      return {};
  }
}
