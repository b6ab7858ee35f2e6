import { isObject } from '../../../machines/json.ts';
import type { History } from '../history.ts';
import type { Message, TrackedExecution } from '../load/tracked-execution.ts';
import type { FinalState, LogEvent, StoredExecution } from './final-state.ts';

/** Checks that acknowledged messages took effect once, refused ones did not, and those with an unknown outcome at most as often as they were sent. */
export function checkMessages(
  trackedExecutions: readonly TrackedExecution[],
  { executions }: FinalState,
  history: History,
): void {
  const byKey = new Map<string, StoredExecution[]>();
  for (const execution of executions.values()) {
    if (execution.key === null || execution.parent !== null) continue;
    byKey.set(execution.key, [...(byKey.get(execution.key) ?? []), execution]);
  }
  for (const tracked of trackedExecutions) {
    const found = byKey.get(tracked.key) ?? [];
    byKey.delete(tracked.key);
    if (!tracked.finished)
      history.addViolation('every execution ends', `${tracked.key} (${tracked.id}) did not`, subjectsOf(tracked));
    for (const message of tracked.messages) {
      if (message.kind === 'start') checkCount(tracked, [message], found.length, 'executions', history);
    }
    const [execution] = found;
    if (tracked.id !== null && execution?.id !== tracked.id)
      history.addViolation(
        'a start gives one execution',
        `${tracked.key}: acknowledged ${tracked.id}, stored ${execution?.id}`,
        subjectsOf(tracked),
      );
    if (execution !== undefined) checkLog(tracked, execution, history);
  }
  for (const [key, found] of byKey)
    history.addViolation('nothing starts without a request', `${key}: ${found.map(({ id }) => id).join(', ')}`, [key]);
}

function checkLog(tracked: TrackedExecution, { log }: StoredExecution, history: History): void {
  const kinds = new Map<string, Message[]>();
  for (const message of tracked.messages) {
    if (message.kind === 'start') continue;
    const same = `${message.kind} ${message.nonce}`;
    kinds.set(same, [...(kinds.get(same) ?? []), message]);
  }
  for (const messages of kinds.values()) {
    const [first] = messages;
    if (first === undefined) continue;
    checkCount(tracked, messages, log.filter((event) => records(event, first)).length, 'events', history);
  }
  // Every logged message must have been sent by a client.
  for (const event of log) {
    if (!CLIENT_EVENTS.has(event.type) || tracked.messages.some((message) => records(event, message))) continue;
    history.addViolation(
      'no message is logged that no client sent',
      `${tracked.key}: ${event.type} ${JSON.stringify(event.data)}`,
      subjectsOf(tracked),
    );
  }
}

/** `messages`: messages that cannot be distinguished in the log. */
function checkCount(
  tracked: TrackedExecution,
  messages: readonly Message[],
  count: number,
  what: string,
  history: History,
): void {
  const sum = (worth: (message: Message) => number): number => messages.reduce((all, message) => all + worth(message), 0);
  const least = sum(({ ok }) => (ok ? 1 : 0));
  const most = sum(({ ok, unknown, once }) => (once ? Math.min(1, (ok ? 1 : 0) + unknown) : (ok ? 1 : 0) + unknown));
  if (count >= least && count <= most) return;
  const [first] = messages;
  const said = `${least} times acknowledged, ${sum(({ unknown }) => unknown)} times unknown`;
  history.addViolation(
    'every acknowledged message counts once',
    `${first?.kind} ${first?.nonce}: ${said}, ${count} ${what}`,
    subjectsOf(tracked),
  );
}

const CLIENT_EVENTS: ReadonlySet<string> = new Set([
  'external_event_received',
  'approval_received',
  'workflow_cancelled',
  'workflow_paused',
  'workflow_resumed',
  'workflow_retried',
]);

function records({ type, data }: LogEvent, { kind, nonce }: Message): boolean {
  switch (kind) {
    case 'event':
      return type === 'external_event_received' && isObject(data.payload) && data.payload.nonce === nonce;
    case 'decision':
      return type === 'approval_received' && data.user_id === nonce;
    case 'cancel':
      return type === 'workflow_cancelled' && data.reason === nonce;
    case 'pause':
      return type === 'workflow_paused' && data.reason === nonce;
    case 'resume':
      return type === 'workflow_resumed';
    case 'retry':
      return type === 'workflow_retried';
    default:
      return false;
  }
}

function subjectsOf({ id, key }: TrackedExecution): readonly string[] {
  return id === null ? [key] : [id, key];
}
