import type { Json } from '../../../machines/json.ts';
import type { CopiedHistory, ExecutionStart } from './envelope.ts';
import type { Starter } from './loading/starter.ts';
import type { LoadedWorkflow } from './loading/workflow-cache.ts';

export interface ExecutionStartInput {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly startedBy: Starter;
  /** Default: none. */
  readonly traceparent?: string | undefined;
  readonly input: Json;
  readonly nowMs: number;
  readonly parent: { readonly id: string; readonly depth: number } | null;
  readonly labels: Readonly<Record<string, string>>;
  /** When it begins; default: now. */
  readonly startAtMs?: number | undefined;
  /** Only of a fork. */
  readonly copiedHistory?: CopiedHistory;
}

/** A new execution of a revision. Its workflow timeout counts from its begin; paused time counts as well. */
export function executionStart(given: ExecutionStartInput): ExecutionStart {
  const { workflow, revision } = given.loaded.program;
  return {
    id: given.id,
    tenantId: given.tenantId,
    loaded: given.loaded,
    identity: {
      startedBy: given.startedBy,
      traceparent: given.traceparent ?? null,
      workflowId: workflow.workflow_id,
      workflowVersion: workflow.version,
      revision,
      labels: JSON.stringify({ ...workflow.labels, ...given.labels }),
      parentId: given.parent?.id ?? null,
      depth: given.parent === null ? 0 : given.parent.depth + 1,
      createdAtMs: given.nowMs,
    },
    deadlineAtMs: timeoutFrom(Math.max(given.nowMs, given.startAtMs ?? 0), given.loaded),
    input: given.input,
    ...(given.startAtMs === undefined ? {} : { startAtMs: given.startAtMs }),
    ...(given.copiedHistory === undefined ? {} : { copiedHistory: given.copiedHistory }),
  };
}

/** When a workflow that starts, or is retried, at `nowMs` times out, in whole milliseconds; null = never. */
export function timeoutFrom(nowMs: number, { program }: LoadedWorkflow): number | null {
  const timeoutSecs = program.workflow.timeouts.workflow_timeout;
  return timeoutSecs === undefined ? null : nowMs + Math.round(timeoutSecs * 1000);
}
