import { pascalCase } from '../../../machines/events/index.ts';
import type { History } from '../history.ts';
import type { ExternalServer } from '../load/external-server.ts';
import type { StreamFollower } from '../load/stream-follower.ts';
import type { FinalState, StoredExecution } from './final-state.ts';

/** Checks that the webhook received every event, first deliveries in order, all signed. */
export function checkWebhooks(external: ExternalServer, { executions }: FinalState, history: History): void {
  if (external.badSignatures > 0) history.addViolation('every webhook is signed', `${external.badSignatures} were not`);
  for (const { id, log } of executions.values()) {
    const delivered = external.delivered.get(id) ?? [];
    if (delivered.length < log.length) {
      const missing = log.map(({ sequence }) => sequence).filter((sequence) => !delivered.includes(sequence));
      history.addViolation('every event is delivered at least once', `${id}: not ${missing.join(', ')} of ${log.length}`, [id]);
    } else if (delivered.some((sequence, index) => sequence !== index + 1))
      history.addViolation('events are delivered in order', `${id}: ${delivered.join(', ')}`, [id]);
  }
  for (const id of external.delivered.keys()) {
    if (!executions.has(id)) history.addViolation('no event is delivered that did not happen', id, [id]);
  }
}

/** Checks that streams of the tenant delivered every event of every execution, and streams of one execution all of its events, once and in order. */
export function checkStreams(
  streams: readonly StreamFollower[],
  followers: ReadonlyMap<string, StreamFollower>,
  { executions }: FinalState,
  history: History,
): void {
  for (const stream of streams) {
    for (const execution of executions.values()) checkStream(stream, execution, history);
    for (const id of stream.received.keys()) {
      if (!executions.has(id)) history.addViolation('no stream has events of unknown executions', `${stream.name}: ${id}`, [id]);
    }
  }
  for (const [id, follower] of followers) {
    const execution = executions.get(id);
    if (execution !== undefined) checkStream(follower, execution, history);
  }
}

function checkStream({ name, received, hasEnded }: StreamFollower, { id, log }: StoredExecution, history: History): void {
  const [found, expected] = [
    (received.get(id) ?? []).map(({ sequence, kind }) => `${sequence} ${kind}`),
    log.map(({ sequence, type }) => `${sequence} ${pascalCase(type)}`),
  ];
  const wrong = expected.findIndex((event, index) => found[index] !== event);
  if (wrong === -1 && found.length === expected.length) return;
  // A stream ends at a failure that a later retry resets.
  if (hasEnded && log[found.length - 1]?.type === 'workflow_failed' && wrong === found.length) return;
  const at = wrong === -1 ? expected.length : wrong;
  history.addViolation(
    'streams are complete, in order, without duplicates',
    `${name} of ${id}: ${found.length} of ${expected.length} events; instead of ${expected[at]} it has ${found[at]}`,
    [id],
  );
}
