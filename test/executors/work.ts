import type { Json, JsonObject } from '../../machines/json.ts';
import type { Work } from '../../machines/run.ts';
import type { WorkContext, WorkError } from '../../src/executors/executor.ts';
import { toolLog } from '../../src/executors/tool-context/tool-log.ts';

/** The work of an attempt with this input. */
export function workWith(input: Json, payload: JsonObject = {}): Work {
  return {
    node: 'n',
    activation: 1,
    attempt: 0,
    maxAttempts: 3,
    timeoutSecs: null,
    input,
    inputErrors: [],
    progress: {},
    state: {},
    payload,
  };
}

export function contextWith(given: Partial<WorkContext> = {}): WorkContext {
  return {
    signal: new AbortController().signal,
    tenantId: 'default',
    executionId: 'exec_1',
    nodeId: 'n',
    attempt: 0,
    idempotencyKey: 'exec_1:n:1',
    startedBy: { actorId: 'ann', actorType: 'human' },
    labels: {},
    memory: { search: async () => [], add: async () => [], remove: async () => 0 },
    reportUsage: () => {},
    log: toolLog(() => {}),
    progress: () => {},
    heartbeat: async () => {},
    ...given,
  };
}

/** The error that a promise rejects with; fails the test if it resolves. */
export async function failure(promise: Promise<unknown>): Promise<WorkError> {
  return promise.then(
    (value) => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
    },
    (error: WorkError) => error,
  );
}
