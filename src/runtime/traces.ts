import type { Visit } from '../../machines/messages.ts';
import type { EventBus } from './events.ts';
import { attemptSpanId, type ExecutionTrace, executionTrace, formatTraceparent } from './trace-context.ts';

/** Records the spans of a runtime. */
export interface SpanRecording {
  /** Called once, before the runtime begins to work. */
  observe(runtime: Pick<EventBus, 'on'>): void;
  /** Are the spans of this execution recorded? Always the same for one trace. */
  isSampled(trace: ExecutionTrace): boolean;
}

interface Traced {
  readonly id: string;
  /** `traceparent`: as it was given at the start; null = none. */
  readonly identity: { readonly traceparent: string | null };
}

/** Gives what an attempt calls its place in the trace of the execution. */
export class Traces {
  readonly #recording: SpanRecording | null;

  /** Null: no spans are recorded. What the execution was given is then handed on unchanged. */
  constructor(recording: SpanRecording | null) {
    this.#recording = recording;
  }

  /** The header `traceparent` for what an attempt calls: tools, services, workers, child executions; undefined = none. */
  ofAttempt({ id, identity: { traceparent } }: Traced, visit: Visit): string | undefined {
    if (this.#recording === null) return traceparent ?? undefined;
    const trace = executionTrace(id, traceparent);
    return formatTraceparent({
      traceId: trace.traceId,
      spanId: attemptSpanId(id, visit),
      isSampled: this.#recording.isSampled(trace),
    });
  }

  /** The same for an execution that continues another one. */
  ofNext({ id, identity: { traceparent } }: Traced): string | undefined {
    if (this.#recording === null) return traceparent ?? undefined;
    const trace = executionTrace(id, traceparent);
    return formatTraceparent({ isSampled: this.#recording.isSampled(trace), ...trace });
  }
}
