import type { JsonObject } from '../../../machines/json.ts';
import { definitionOf, type Kind } from '../../../machines/nodes/index.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import type { CachedExecution } from '../../runtime/engine/loading/cached-execution.ts';
import { attemptSpanId, executionTrace } from '../../runtime/trace-context.ts';
import type { Beginning } from '../attempt-clock.ts';
import type { SpanError, SpanRecord } from './span.ts';

const CALLS: ReadonlySet<string> = new Set(['model', 'http', 'mcp_tool', 'a2a_task', 'agent_tool', 'agent']);

/** Nodes whose attempts, or waits, begin with an event of their own. The others end in the step that reaches them. */
const INSTANT: ReadonlySet<string> = new Set(['condition', 'parallel', 'join', 'limit_exceeded', 'policy', 'map']);

export function isInstant(kind: string): boolean {
  return INSTANT.has(kind);
}

/**
 * The span of an attempt, or of a wait, that `event` ends: from the events of the log alone, so that it does not matter which process
 * makes it. `begun` null: it failed before it began.
 */
export function attemptSpan(execution: CachedExecution, event: EventRow, begun: Beginning | null): SpanRecord {
  const { id, tenantId, loaded, identity } = execution;
  const { workflowId, workflowVersion, traceparent } = identity;
  const { nodeId, data, atMs } = event;
  const node = nodeId ?? '';
  const kind = loaded.kindOf(node);
  const activation = Number(data.activation ?? 1);
  const item = typeof data.item === 'number' ? data.item : undefined;
  const attempt = begun?.attempt ?? Number(data.attempt ?? 0);
  const trace = executionTrace(id, traceparent);
  const model = kind === null ? undefined : definitionOf(kind).models(kind)[0];
  return {
    trace,
    spanId: attemptSpanId(id, { node, activation, attempt, item }),
    parentSpanId: trace.spanId,
    name: kind?.type === 'model' && model !== undefined ? `chat ${model}` : node,
    kind: kind !== null && CALLS.has(kind.type) ? 'client' : 'internal',
    startMs: begun?.atMs ?? atMs,
    endMs: atMs,
    attributes: {
      'jamjet.execution.id': id,
      'jamjet.workflow.id': workflowId,
      'jamjet.workflow.version': workflowVersion,
      'jamjet.tenant.id': tenantId,
      'jamjet.node.id': node,
      'jamjet.node.kind': kind?.type,
      'jamjet.node.activation': activation,
      'jamjet.node.item': item,
      'jamjet.attempt': attempt,
      'jamjet.worker.id': begun?.workerId ?? undefined,
      'jamjet.cancelled': event.type === 'node_cancelled' || undefined,
      ...modelAttributes(kind, model, data),
      ...httpAttributes(data),
    },
    links:
      attempt === 0
        ? []
        : [{ traceId: trace.traceId, spanId: attemptSpanId(id, { node, activation, attempt: attempt - 1, item }) }],
    error: event.type === 'node_failed' ? errorOf(data, loaded.program.tables.dataRules !== null) : null,
  };
}

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ */
function modelAttributes(kind: Kind | null, model: string | undefined, data: JsonObject): SpanRecord['attributes'] {
  const used = textOf(data.gen_ai_model);
  if (kind?.type !== 'model' && used === undefined) return {};
  const provider = textOf(data.gen_ai_system);
  const reason = textOf(data.finish_reason);
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    // The name of the same in earlier versions of the conventions.
    'gen_ai.system': provider,
    'gen_ai.request.model': model ?? used,
    'gen_ai.response.model': used,
    'gen_ai.response.id': textOf(data.gen_ai_response_id),
    'gen_ai.response.finish_reasons': reason === undefined ? undefined : [reason],
    'gen_ai.usage.input_tokens': numberOf(data.input_tokens),
    'gen_ai.usage.output_tokens': numberOf(data.output_tokens),
    'jamjet.cost_usd': numberOf(data.cost_usd),
  };
}

function httpAttributes({ http_status }: JsonObject): SpanRecord['attributes'] {
  return { 'http.response.status_code': numberOf(http_status) };
}

/** As the log has it. */
function errorOf(data: JsonObject, isPrivate: boolean): SpanError {
  return {
    type: textOf(data.error_name) ?? textOf(data.error_class) ?? 'Error',
    message: isPrivate ? null : (textOf(data.error) ?? null),
    stack: isPrivate ? null : (textOf(data.stack) ?? null),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
