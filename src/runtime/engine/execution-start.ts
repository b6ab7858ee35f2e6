import type { Json } from '../../../machines/json.ts';
import { withoutReserved } from '../../../machines/reserved-labels.ts';
import type { CopiedHistory, ExecutionStart } from './envelope.ts';
import type { Starter } from './loading/starter.ts';
import type { LoadedWorkflow } from './loading/workflow-cache.ts';

export interface ExecutionStartInput {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: LoadedWorkflow;
  readonly startedBy: Starter;
  readonly input: Json;
  readonly nowMs: number;
  readonly parent: { readonly id: string; readonly depth: number } | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Of a fork. */
  readonly copiedHistory?: CopiedHistory;
}

/** A new execution of a revision; its workflow timeout counts from now, paused time included. */
export function executionStart(run: ExecutionStartInput): ExecutionStart {
  const { workflow, revision } = run.loaded.program;
  return {
    id: run.id,
    tenantId: run.tenantId,
    loaded: run.loaded,
    startedBy: run.startedBy,
    input: run.input,
    workflowId: workflow.workflow_id,
    workflowVersion: workflow.version,
    revision,
    // Revisions of earlier releases may have labels that are the runtime's.
    labels: JSON.stringify({ ...withoutReserved(workflow.labels), ...run.labels }),
    parentId: run.parent?.id ?? null,
    depth: run.parent === null ? 0 : run.parent.depth + 1,
    deadlineAtMs: timeoutFrom(run.nowMs, run.loaded),
    createdAtMs: run.nowMs,
    ...(run.copiedHistory === undefined ? {} : { copiedHistory: run.copiedHistory }),
  };
}

/** When the workflow times out that starts, or starts again, at `nowMs`: a whole millisecond, as all times are stored. Null = never. */
export function timeoutFrom(nowMs: number, { program }: LoadedWorkflow): number | null {
  const timeoutSecs = program.workflow.timeouts.workflow_timeout;
  return timeoutSecs === undefined ? null : nowMs + Math.round(timeoutSecs * 1000);
}
