import type { ExecutionCommit } from '../../runtime/engine/commit/execution-commit.ts';
import { forkedFrom } from '../../runtime/fork-labels.ts';
import { executionTrace, spanIdOf } from '../../runtime/trace-context.ts';
import type { SpanError, SpanRecord } from './span.ts';

const FAILED: ReadonlySet<string> = new Set(['failed', 'limit_exceeded']);

/**
 * The span of an execution that has ended. One that ends again, after a retry, gets a further span below the first: a span can be sent only
 * once, and its attempts name the first.
 */
export function executionSpan({ after }: ExecutionCommit, hasEndedBefore: boolean): SpanRecord {
  const { id, run, loaded, identity, completedAtMs } = after;
  const trace = executionTrace(id, identity.traceparent);
  const origin = forkedFrom(JSON.parse(identity.labels));
  return {
    trace,
    spanId: hasEndedBefore ? spanIdOf(`${id}\nend\n${run.seq}`) : trace.spanId,
    parentSpanId: hasEndedBefore ? trace.spanId : (trace.parent?.spanId ?? null),
    name: identity.workflowId,
    kind: 'internal',
    startMs: identity.createdAtMs,
    endMs: completedAtMs ?? after.updatedAtMs,
    attributes: {
      'jamjet.execution.id': id,
      'jamjet.execution.status': run.status,
      'jamjet.execution.steps': run.steps,
      'jamjet.execution.retried': hasEndedBefore || undefined,
      'jamjet.execution.parent.id': identity.parentId ?? undefined,
      'jamjet.execution.forked_from.id': origin?.executionId,
      'jamjet.workflow.id': identity.workflowId,
      'jamjet.workflow.version': identity.workflowVersion,
      'jamjet.tenant.id': after.tenantId,
    },
    links: origin === null ? [] : [originLink(origin.executionId)],
    error: FAILED.has(run.status) ? errorOf(run.status, after.error, loaded.program.tables.dataRules !== null) : null,
  };
}

/** Of an origin that began its own trace, as most have. */
function originLink(originId: string): { readonly traceId: string; readonly spanId: string } {
  const { traceId, spanId } = executionTrace(originId, null);
  return { traceId, spanId };
}

function errorOf(status: string, message: string | null, isPrivate: boolean): SpanError {
  return { type: status, message: isPrivate ? null : message, stack: null };
}
