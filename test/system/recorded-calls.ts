import { expect } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { Execution } from '../../src/api/operations/executions.ts';
import type { WorkItem } from '../../src/api/operations/work-items.ts';
import type { Event } from '../../src/api/schemas/events.ts';
import { ApiError, type JamjetClient } from '../../src/client/index.ts';
import { PATIENCE_MS } from '../support/patience.ts';

/** Registers the document and starts an execution. */
export async function run(client: JamjetClient, document: JsonObject, input: Json = {}): Promise<string> {
  const { workflow_id } = await client.registerWorkflow(document);
  return (await client.start({ workflow_id, input })).execution_id;
}

/** Waits until the execution is terminal or paused. */
export async function settled(client: JamjetClient, id: string): Promise<Execution> {
  const execution = await client.execution(id, { waitMs: 60_000 });
  expect(execution.status, `status of ${id}`).not.toBe('running');
  return execution;
}

/** Every event as `type node`, in order. */
export async function timeline(client: JamjetClient, id: string): Promise<string[]> {
  return (await client.events(id)).map(line);
}

export function line({ type, node_id }: Event): string {
  return node_id === null ? type : `${type} ${node_id}`;
}

/** Claims the next work item of a queue. */
export async function claim(client: JamjetClient, queue: string, worker = 'w1'): Promise<WorkItem> {
  const { work_item } = await client.claimWork({ worker_id: worker, queue_types: [queue], wait_ms: 60_000 });
  if (work_item === undefined) throw new Error(`nothing to claim on queue ${queue}`);
  return work_item;
}

/** The error of a refused call; fails the test if the call succeeds. */
export async function refusal(call: Promise<unknown>): Promise<ApiError> {
  const outcome = await call.then(
    (value) => value,
    (error: unknown) => error,
  );
  if (outcome instanceof ApiError) return outcome;
  throw new Error(`expected a refusal, got ${outcome instanceof Error ? outcome.stack : JSON.stringify(outcome)}`);
}

/** Polls until the condition holds, where no request can wait for it. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
