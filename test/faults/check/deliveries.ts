import { pascalCase } from '../../../machines/events.ts';
import type { History } from '../history.ts';
import type { ExternalServer } from '../load/external-server.ts';
import type { StreamFollower } from '../load/stream-follower.ts';
import type { FinalState, StoredExecution } from './final-state.ts';

/** Every event was told to the webhook, the first time in its order, and signed. */
export function checkWebhooks(outside: ExternalServer, { executions }: FinalState, history: History): void {
  if (outside.badSignatures > 0) history.addViolation('every webhook is signed', `${outside.badSignatures} were not`);
  for (const { id, log } of executions.values()) {
    const told = outside.delivered.get(id) ?? [];
    if (told.length < log.length) {
      const missing = log.map(({ sequence }) => sequence).filter((sequence) => !told.includes(sequence));
      history.addViolation('every event is told at least once', `${id}: not ${missing.join(', ')} of ${log.length}`, [id]);
    } else if (told.some((sequence, index) => sequence !== index + 1))
      history.addViolation('events are told in their order', `${id}: ${told.join(', ')}`, [id]);
  }
  for (const id of outside.delivered.keys()) {
    if (!executions.has(id)) history.addViolation('nothing is told that did not happen', id, [id]);
  }
}

/** Streams of the tenant showed every event of every execution; those of one execution, all of its own. Each once, in their order. */
export function checkStreams(
  streams: readonly StreamFollower[],
  followers: ReadonlyMap<string, StreamFollower>,
  { executions }: FinalState,
  history: History,
): void {
  for (const stream of streams) {
    for (const execution of executions.values()) checkStream(stream, execution, history);
    for (const id of stream.received.keys()) {
      if (!executions.has(id)) history.addViolation('no stream shows what did not happen', `${stream.name}: ${id}`, [id]);
    }
  }
  for (const [id, follower] of followers) {
    const execution = executions.get(id);
    if (execution !== undefined) checkStream(follower, execution, history);
  }
}

function checkStream({ name, received: shown, hasEnded }: StreamFollower, { id, log }: StoredExecution, history: History): void {
  const [found, expected] = [
    (shown.get(id) ?? []).map(({ sequence, kind }) => `${sequence} ${kind}`),
    log.map(({ sequence, type }) => `${sequence} ${pascalCase(type)}`),
  ];
  const wrong = expected.findIndex((event, index) => found[index] !== event);
  if (wrong === -1 && found.length === expected.length) return;
  // The end that a retry undid was the end of the stream as well.
  if (hasEnded && log[found.length - 1]?.type === 'workflow_failed' && wrong === found.length) return;
  const at = wrong === -1 ? expected.length : wrong;
  history.addViolation(
    'streams are complete, in order, and show nothing twice',
    `${name} of ${id}: ${found.length} of ${expected.length} events; in place of ${expected[at]} it shows ${found[at]}`,
    [id],
  );
}
