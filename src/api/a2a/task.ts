import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Status } from '../../../machines/run.ts';
import type { ExecutionView } from '../../runtime/types/executions.ts';
import type { InputNeed } from '../../runtime/types/server-runtime.ts';
import { timestamp } from '../time.ts';
import type { A2aVersion } from './rpc.ts';

/** Label that connects the tasks of one conversation. */
export const CONTEXT_LABEL = 'jamjet.a2a.context';

const STATES: Readonly<Record<Status, string>> = {
  pending: 'submitted',
  running: 'working',
  // Unless it needs input.
  paused: 'working',
  completed: 'completed',
  failed: 'failed',
  limit_exceeded: 'failed',
  cancelled: 'canceled',
};

export function contextOf(view: ExecutionView): string {
  return view.labels[CONTEXT_LABEL] ?? view.executionId;
}

/** The task of an execution. The artifact is its final state; the status message says what it is waiting for, or why it failed. */
export function toTask(view: ExecutionView, need: InputNeed | null, version: A2aVersion): JsonObject {
  const contextId = contextOf(view);
  const text = statusText(view, need);
  const message = messageOf(
    { id: `${view.executionId}-${view.sequence}`, taskId: view.executionId, contextId },
    text ?? '',
    version,
  );
  const result = {
    artifactId: 'state',
    name: 'state',
    description: 'The final state of the workflow',
    parts: [part('data', view.state, version)],
  };
  return {
    ...(version === '1.0' ? {} : { kind: 'task' }),
    id: view.executionId,
    contextId,
    status: {
      state: stateOf(need === null ? STATES[view.status] : 'input-required', version),
      timestamp: timestamp(view.updatedAtMs),
      ...(text === null ? {} : { message }),
    },
    artifacts: view.status === 'completed' ? [result] : [],
    history: [],
    metadata: { workflow_id: view.workflowId, workflow_version: view.workflowVersion, ...usageIn(view) },
  };
}

/** What the task has used so far, as metadata by which a caller counts it. */
export function usageIn({ usage }: ExecutionView): JsonObject {
  return usage === null ? {} : { usage: { ...usage } };
}

/** A message of the runtime. */
export function messageOf(
  { id, taskId, contextId }: { readonly id: string; readonly taskId: string; readonly contextId: string },
  text: string,
  version: A2aVersion,
): JsonObject {
  return {
    ...(version === '1.0' ? {} : { kind: 'message' }),
    messageId: id,
    contextId,
    taskId,
    role: version === '1.0' ? 'ROLE_AGENT' : 'agent',
    parts: [part('text', text, version)],
  };
}

function statusText({ executionId, status, suspended, error }: ExecutionView, need: InputNeed | null): string | null {
  if (need !== null) {
    const { approvals, events } = need;
    const wanted = [
      ...(approvals.length === 0 ? [] : [`approval of ${approvals.join(', ')}`]),
      ...(events.length === 0 ? [] : [`event ${events.join(', ')}`]),
    ];
    return `waiting for ${wanted.join(' and ')}${need.executionId === executionId ? '' : ` in ${need.executionId}`}`;
  }
  if (status !== 'paused') return error;
  return suspended === null ? 'waiting for a timer' : 'paused by an operator';
}

/** `input-required` in A2A 0.3 is `TASK_STATE_INPUT_REQUIRED` in 1.0. */
function stateOf(state: string, version: A2aVersion): string {
  return version === '1.0' ? `TASK_STATE_${state.replaceAll('-', '_').toUpperCase()}` : state;
}

function part(kind: 'text' | 'data', value: Json, version: A2aVersion): JsonObject {
  return { ...(version === '1.0' ? {} : { kind }), [kind]: value };
}
