import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Status } from '../../../machines/run.ts';
import type { ApprovalsView, ExecutionView } from '../../runtime/types/executions.ts';
import { timestamp } from '../time.ts';
import type { A2aVersion } from './rpc.ts';

/** Ties the tasks of one conversation together. */
export const CONTEXT_LABEL = 'jamjet.a2a.context';

const STATES: Readonly<Record<Status, string>> = {
  running: 'working',
  paused: 'input-required',
  completed: 'completed',
  failed: 'failed',
  limit_exceeded: 'failed',
  cancelled: 'canceled',
};

export function contextOf(view: ExecutionView): string {
  return view.labels[CONTEXT_LABEL] ?? view.executionId;
}

/** An execution as a task: its final state is the artifact; what it waits for, or why it failed, the message of its status. */
export function toTask(view: ExecutionView, pending: ApprovalsView['pending'], dialect: A2aVersion): JsonObject {
  const contextId = contextOf(view);
  const said = statusText(view, pending);
  const message = {
    ...(dialect === '1.0' ? {} : { kind: 'message' }),
    messageId: `${view.executionId}-${view.sequence}`,
    contextId,
    taskId: view.executionId,
    role: dialect === '1.0' ? 'ROLE_AGENT' : 'agent',
    parts: [part('text', said ?? '', dialect)],
  };
  const result = {
    artifactId: 'state',
    name: 'state',
    description: 'The final state of the workflow',
    parts: [part('data', view.state, dialect)],
  };
  return {
    ...(dialect === '1.0' ? {} : { kind: 'task' }),
    id: view.executionId,
    contextId,
    status: {
      state: stateOf(view.status, dialect),
      timestamp: timestamp(view.updatedAtMs),
      ...(said === null ? {} : { message }),
    },
    artifacts: view.status === 'completed' ? [result] : [],
    history: [],
    metadata: { workflow_id: view.workflowId, workflow_version: view.workflowVersion },
  };
}

function statusText(view: ExecutionView, pending: ApprovalsView['pending']): string | null {
  if (view.status !== 'paused') return view.error;
  const [approval, ...more] = pending;
  if (approval === undefined) return 'waits for an event, or for a time to come';
  const which = more.length === 0 ? '' : ` of ${[approval, ...more].map((each) => each.nodeId).join(', ')}`;
  return `waits for approval${which || ` of ${approval.nodeId}`}`;
}

/** 1.0 writes `TASK_STATE_INPUT_REQUIRED` what 0.3 writes `input-required`. */
function stateOf(status: Status, dialect: A2aVersion): string {
  const state = STATES[status];
  return dialect === '1.0' ? `TASK_STATE_${state.replaceAll('-', '_').toUpperCase()}` : state;
}

function part(kind: 'text' | 'data', value: Json, dialect: A2aVersion): JsonObject {
  return { ...(dialect === '1.0' ? {} : { kind }), [kind]: value };
}
