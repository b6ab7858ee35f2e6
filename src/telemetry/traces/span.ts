import type { ExecutionTrace } from '../../runtime/trace-context.ts';

export type Attribute = string | number | boolean | readonly string[];

/** A span that has ended, before it is given to the SDK. */
export interface SpanRecord {
  readonly trace: ExecutionTrace;
  readonly spanId: string;
  /** Null: it is the first of its trace. */
  readonly parentSpanId: string | null;
  readonly name: string;
  /** `client`: the attempt calls another service. */
  readonly kind: 'internal' | 'client';
  readonly startMs: number;
  readonly endMs: number;
  /** Without those that are undefined. */
  readonly attributes: Readonly<Record<string, Attribute | undefined>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Null: it ended without an error. */
  readonly error: SpanError | null;
}

export interface SpanError {
  readonly type: string;
  /** Null where a data policy keeps personal data out: a message may contain some. */
  readonly message: string | null;
  readonly stack: string | null;
}
