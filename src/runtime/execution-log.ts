import type { JsonObject } from '../../machines/json.ts';
import { TERMINAL } from '../../machines/run.ts';
import { type ExecutionCommit, isBeginning } from './engine/commit/execution-commit.ts';
import type { EventBus } from './events.ts';

/** Takes the lines of the log; pino's loggers do. */
export interface ExecutionLogger {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Fields of a line of a log. */
export type LogFields = JsonObject;

export interface LogLine {
  readonly level: keyof ExecutionLogger;
  readonly fields: LogFields;
  readonly message: string;
}

/**
 * Logs what this runtime commits: failed attempts, and conditions and templates that could not be evaluated, as warnings; failed executions as
 * errors; and that executions start and end.
 */
export function logCommits(events: EventBus, logger: ExecutionLogger): void {
  events.on('committed', (commit) => {
    for (const { level, fields, message } of logLines(commit)) logger[level](fields, message);
  });
}

/** What the log says of a commit, in the order in which it happened. Personal data is redacted as in the events. */
export function logLines(commit: ExecutionCommit): readonly LogLine[] {
  const { before, after, write, diagnostics } = commit;
  const { id: execution, tenantId: tenant, identity, run } = after;
  const { workflowId: workflow, workflowVersion: version, parentId, createdAtMs } = identity;
  const about = { execution, tenant, workflow };
  const lines: LogLine[] = [];

  // The history that a fork copies was logged when it happened.
  const copied = before === null ? write.events.findLastIndex(({ type }) => type === 'workflow_forked') : -1;
  const origin = write.events[copied]?.data.origin;
  if (before === null) {
    const parent = parentId === null ? {} : { parent: parentId };
    const fields = Object.assign({}, about, { version, ...parent }, origin === undefined ? {} : { origin });
    lines.push({ level: 'info', fields, message: 'execution started' });
  }
  for (const { type, nodeId: node, data } of write.events.slice(copied + 1)) {
    if (type === 'node_failed')
      lines.push({ level: 'warn', fields: Object.assign({}, about, { node }, pick(data, FAILURE)), message: 'attempt failed' });
    if (data.usage_refused !== undefined)
      lines.push({
        level: 'warn',
        fields: Object.assign({}, about, { node }, pick(data, REFUSED)),
        message: 'reported usage is not counted',
      });
    if (type === 'workflow_retried')
      lines.push({ level: 'info', fields: { ...about, ...pick(data, ['nodes']) }, message: 'execution retried' });
  }
  for (const problem of diagnostics) lines.push({ level: 'warn', fields: about, message: problem });
  if (TERMINAL.has(run.status) && (isBeginning(commit) || !TERMINAL.has(before?.run.status ?? 'running'))) {
    const { status } = run;
    const ms = after.updatedAtMs - createdAtMs;
    const fields = Object.assign({}, about, { status, ms }, after.error === null ? {} : { error: after.error });
    lines.push(
      status === 'failed'
        ? { level: 'error', fields, message: 'execution failed' }
        : { level: 'info', fields, message: 'execution ended' },
    );
  }
  return lines;
}

const REFUSED = ['gen_ai_model', 'usage_refused'];
const FAILURE = ['item', 'attempt', 'error', 'error_name', 'error_class', 'http_status', 'retryable', 'stack', 'cause', 'errors'];

function pick(data: JsonObject, keys: readonly string[]): LogFields {
  return Object.fromEntries(keys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));
}
