import { hash } from 'node:crypto';
import type { Visit } from '../../machines/messages.ts';
import { visitKey } from '../../machines/visit-key.ts';

/** The place of an execution in a trace: a header `traceparent` of the W3C, read. */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** The trace of an execution, the same in every process and after every restart. */
export interface ExecutionTrace {
  readonly traceId: string;
  /** The span of the execution itself. */
  readonly spanId: string;
  /** The span that it is part of; null = it begins its trace. */
  readonly parent: TraceParent | null;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const SAMPLED = 1;

/** Null: it is not valid, and is to be ignored (https://www.w3.org/TR/trace-context/#traceparent-header). */
export function parseTraceparent(text: string): TraceParent | null {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (text.startsWith('00') && text.length !== 55) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/**
 * An execution that was started within a trace is part of it. Any other begins its own, whose id is that of the execution without
 * `exec_`. `traceparent`: as the log has it; null = none.
 */
export function executionTrace(executionId: string, traceparent: string | null): ExecutionTrace {
  const parent = traceparent === null ? null : parseTraceparent(traceparent);
  return {
    traceId: parent?.traceId ?? executionId.slice(-32),
    spanId: spanIdOf(executionId),
    parent,
  };
}

/** The span of an attempt, or of a wait. */
export function attemptSpanId(executionId: string, visit: Visit): string {
  return spanIdOf(`${executionId}\n${visitKey(visit)}`);
}

/** The same text always gives the same span. */
export function spanIdOf(text: string): string {
  const id = hash('sha256', text, 'hex').slice(0, 16);
  return id === '0000000000000000' ? '0000000000000001' : id;
}
