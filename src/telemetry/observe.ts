import { doesItems } from '../../machines/nodes/index.ts';
import { TERMINAL } from '../../machines/run.ts';
import type { EventRow } from '../../store/port/executions.ts';
import type { ExecutionCommit } from '../runtime/engine/commit/execution-commit.ts';
import type { EventBus } from '../runtime/events.ts';
import { AttemptClock } from './attempt-clock.ts';
import type { LabelsOf, TelemetryEvent } from './catalogue.ts';

type Emit = (event: TelemetryEvent) => void;
type NodeLabels = LabelsOf<'attempt_started'>;

const ENDINGS: Readonly<Record<string, string>> = {
  node_completed: 'completed',
  node_failed: 'failed',
  attempt_lost: 'lost',
  node_cancelled: 'cancelled',
};

/**
 * Calls `emit` with the events of a runtime, as the catalogue defines them, soon after they happen. Returns a function that ends that.
 * `emit` delays the next commit, so it must be quick.
 */
export function observe({ on }: Pick<EventBus, 'on'>, emit: Emit): () => void {
  const clock = new AttemptClock();
  const ends = [
    on('committed', (commit) => ofCommit(commit, clock, emit)),
    on('stepped', ({ messages, durationMs }) =>
      emit({ name: 'messages_stepped', labels: {}, measures: { messages, duration_seconds: durationMs / 1000 } }),
    ),
    on('batchCommitted', ({ durationMs, ...counts }) =>
      emit({ name: 'batch_committed', labels: {}, measures: { duration_seconds: durationMs / 1000, ...counts } }),
    ),
    on('dueDelivered', ({ kind, lateMs }) => {
      emit({ name: 'due_delivered', labels: { kind }, measures: { late_seconds: Math.max(0, lateMs) / 1000 } });
      if (kind === 'lease') emit({ name: 'lease_expired', labels: {}, measures: {} });
    }),
    on('workClaimed', ({ tenantId: tenant, queue, waitedMs }) =>
      emit({ name: 'work_claimed', labels: { tenant, queue }, measures: { waited_seconds: Math.max(0, waitedMs) / 1000 } }),
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function ofCommit({ before, after, write }: ExecutionCommit, clock: AttemptClock, emit: Emit): void {
  const { id, tenantId: tenant, run, completedAtMs } = after;
  const { workflowId: workflow, createdAtMs } = after.identity;
  const labels = { tenant, workflow };
  if (before === null) emit({ name: 'execution_started', labels, measures: {} });
  for (const event of write.events) {
    // A fork's log begins with a copy of another one's.
    if (event.nodeId !== null && (before !== null || event.atMs >= createdAtMs)) {
      const kind = after.loaded.kindOf(event.nodeId);
      // A node that works on a list has no attempts of its own: its items do.
      if (kind !== null && doesItems(kind) && event.data.item === undefined) continue;
      ofNode(id, event, { tenant, workflow, kind: kind?.type ?? 'unknown' }, clock, emit);
    }
  }
  if (!TERMINAL.has(run.status)) return;
  const seconds = completedAtMs === null ? null : (completedAtMs - createdAtMs) / 1000;
  emit({ name: 'execution_ended', labels: { tenant, workflow, status: run.status }, measures: { duration_seconds: seconds } });
}

function ofNode(id: string, event: EventRow, labels: NodeLabels, clock: AttemptClock, emit: Emit): void {
  const { type, data, atMs } = event;
  if (type === 'node_started') {
    // Nodes that wait have no worker.
    if (data.worker_id === undefined) return;
    clock.begin(id, event);
    emit({ name: 'attempt_started', labels, measures: {} });
    return;
  }
  if (type === 'retry_scheduled' || type === 'node_parked')
    emit({ name: 'retry_scheduled', labels, measures: { delay_seconds: Number(data.delay_ms) / 1000 } });
  const { tenant, workflow, kind } = labels;
  const outcome = ENDINGS[type];
  if (outcome === undefined) return;
  const begun = clock.end(id, event);
  if (begun !== null || isWork(event))
    emit({
      name: 'attempt_ended',
      labels: { tenant, workflow, kind, outcome },
      measures: { duration_seconds: begun === null ? null : (atMs - begun.atMs) / 1000 },
    });
  const { gen_ai_model: model, gen_ai_system: provider } = data;
  if (typeof model !== 'string') return;
  emit({
    name: 'model_used',
    labels: {
      tenant: labels.tenant,
      workflow: labels.workflow,
      model,
      provider: typeof provider === 'string' ? provider : 'unknown',
    },
    measures: {
      input_tokens: numberOf(data.input_tokens),
      output_tokens: numberOf(data.output_tokens),
      cost_usd: numberOf(data.cost_usd),
    },
  });
}

/** Does the event end an attempt that this process did not see begin? Nodes that do no work take no time. */
function isWork({ type, data }: EventRow): boolean {
  if (type === 'node_completed') return Number(data.duration_ms) > 0;
  return type !== 'node_cancelled' && data.error_class !== 'policy_violation';
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
