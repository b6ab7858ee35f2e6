import type { History } from '../history.ts';
import type { FinalState, LogEvent, StoredExecution } from './final-state.ts';

const TERMINAL_EVENTS: Readonly<Record<string, string>> = {
  completed: 'workflow_completed',
  failed: 'workflow_failed',
  cancelled: 'workflow_cancelled',
};
const TERMINAL_EVENT_TYPES: ReadonlySet<string> = new Set(Object.values(TERMINAL_EVENTS));

/** Checks that apply to the log of any execution. */
export function checkLogs({ executions }: FinalState, history: History): void {
  for (const execution of executions.values()) {
    checkSequence(execution, history);
    checkEnd(execution, history);
    checkVisits(execution, history);
    checkErrors(execution, history);
  }
}

function checkSequence({ id, log, sequence }: StoredExecution, history: History): void {
  const gap = log.findIndex((event, index) => event.sequence !== index + 1);
  if (gap !== -1) history.addViolation('no log has a gap', `${id}: event ${log[gap]?.sequence} comes as number ${gap + 1}`, [id]);
  if (log.length !== sequence)
    history.addViolation('the stored sequence is that of the last event', `${id}: ${sequence}, ${log.length} events`, [id]);
  if (log[0]?.type !== 'workflow_started')
    history.addViolation('a log starts with workflow_started', `${id}: ${log[0]?.type}`, [id]);
}

/** The last event must match the status; an earlier terminal event must be followed by a retry. */
function checkEnd({ id, key, log, status }: StoredExecution, history: History): void {
  const last = log.at(-1)?.type ?? 'none';
  if (last !== TERMINAL_EVENTS[status])
    history.addViolation('the status matches the last event', `${id} (${key}) is ${status}, its last event ${last}`, [
      id,
      key ?? id,
    ]);
  for (const [index, { type }] of log.entries()) {
    const next = log[index + 1]?.type;
    if (TERMINAL_EVENT_TYPES.has(type) && next !== undefined && !(type === 'workflow_failed' && next === 'workflow_retried'))
      history.addViolation('nothing follows a terminal event', `${id}: ${next} after ${type}`, [id]);
  }
}

/** Checks that each visit has one outcome, and attempts that count up from 0. */
function checkVisits({ id, log }: StoredExecution, history: History): void {
  const attempts = new Map<string, number>();
  const outcomes = new Set<string>();
  for (const event of log) {
    if (event.node === null) continue;
    const visit = `${event.node}:${event.data.activation}`;
    if (event.type === 'node_scheduled' || event.type === 'node_started') {
      const before = attempts.get(visit) ?? -1;
      const attempt = Number(event.data.attempt);
      // An attempt is repeated when it starts, and when a stopping server hands it back.
      if (attempt !== before + 1 && attempt !== before)
        history.addViolation('attempts count up from 0', `${id}: ${visit} attempt ${attempt} after ${before}`, [id]);
      attempts.set(visit, attempt);
    }
    if (!isOutcome(event)) continue;
    if (outcomes.has(visit))
      history.addViolation('every visit to a node has one outcome', `${id}: ${visit}, again ${event.type}`, [id]);
    outcomes.add(visit);
  }
}

/** Expected errors: the server was lost, or the tool or worker reported the error. */
const EXPECTED_ERRORS: readonly RegExp[] = [
  /^runtime lost$/,
  /^lease expired$/,
  /^attempt \d+ fails$/,
  /^refused for good$/,
  /^approval rejected by /,
  /^worker-\d+-\d+$/,
  /answered 503$/,
];

function checkErrors({ id, log }: StoredExecution, history: History): void {
  for (const { type, node, data } of log) {
    if (type !== 'node_failed' || EXPECTED_ERRORS.some((reason) => reason.test(String(data.error)))) continue;
    history.addViolation('attempts fail with an expected error', `${id}: ${node}: ${String(data.error)}`, [id]);
  }
}

function isOutcome({ type, data }: LogEvent): boolean {
  return (
    type === 'node_completed' ||
    type === 'node_skipped' ||
    type === 'node_cancelled' ||
    (type === 'node_failed' && data.retryable === false)
  );
}
