import type { Json } from '../../machines/json.ts';
import type { Birth } from './envelope.ts';
import type { Loaded } from './programs.ts';

export interface NewRun {
  readonly id: string;
  readonly tenantId: string;
  readonly loaded: Loaded;
  readonly input: Json;
  readonly nowMs: number;
  readonly parent: { readonly id: string; readonly depth: number } | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** A new execution of a revision; its workflow timeout counts from now, paused time included. */
export function birthOf(run: NewRun): Birth {
  const { workflow, revision } = run.loaded.program;
  return {
    id: run.id,
    tenantId: run.tenantId,
    loaded: run.loaded,
    input: run.input,
    workflowId: workflow.workflow_id,
    workflowVersion: workflow.version,
    revision,
    labels: JSON.stringify({ ...workflow.labels, ...run.labels }),
    parentId: run.parent?.id ?? null,
    depth: run.parent === null ? 0 : run.parent.depth + 1,
    deadlineAtMs: timeoutFrom(run.nowMs, run.loaded),
    createdAtMs: run.nowMs,
  };
}

/** When the workflow times out that starts, or starts again, at `nowMs`; null = never. */
export function timeoutFrom(nowMs: number, { program }: Loaded): number | null {
  const timeoutSecs = program.workflow.timeouts.workflow_timeout;
  return timeoutSecs === undefined ? null : nowMs + timeoutSecs * 1000;
}
