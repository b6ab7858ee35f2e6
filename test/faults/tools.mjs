// In-process tools of the executions under faults. Each call first appends a line to a file, so that all calls are known even if the process is killed.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';

const { FAULTS_CALLS: folder = '.' } = process.env;

function note({ executionId, nodeId, attempt, idempotencyKey }) {
  appendFileSync(
    `${folder}/calls`,
    `${JSON.stringify([executionId, nodeId, attempt, idempotencyKey, process.pid, Date.now()])}\n`,
  );
}

/** Takes `ms` milliseconds; its first `failures` attempts fail. */
export async function step({ ms = 5, failures = 0 }, context) {
  note(context);
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  if (context.attempt < failures) throw new Error(`attempt ${context.attempt} fails`);
  return { [context.nodeId]: { attempt: context.attempt, call: context.idempotencyKey } };
}

export async function count({ n = 0 }, context) {
  note(context);
  return { n: n + 1 };
}

/** Fails with an error that is not retryable the first time it is called for an execution, in any process. */
export async function refuses(_input, context) {
  note(context);
  const file = `${folder}/refused-${context.executionId}`;
  if (existsSync(file)) return { refuses: { attempt: context.attempt } };
  writeFileSync(file, '');
  throw Object.assign(new Error('refused for good'), { retryable: false });
}
