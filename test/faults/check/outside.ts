import { pascalCase } from '../../../machines/events.ts';
import type { History } from '../history.ts';
import type { Follower } from '../load/followers.ts';
import type { Outside } from '../load/outside.ts';
import type { Evidence, StoredExecution } from './evidence.ts';

/** Every event was told to the webhook, the first time in its order, and signed. */
export function checkWebhooks(outside: Outside, { executions }: Evidence, history: History): void {
  if (outside.forged > 0) history.violated('every webhook is signed', `${outside.forged} were not`);
  for (const { id, log } of executions.values()) {
    const told = outside.told.get(id) ?? [];
    if (told.length < log.length) {
      const missing = log.map(({ sequence }) => sequence).filter((sequence) => !told.includes(sequence));
      history.violated('every event is told at least once', `${id}: not ${missing.join(', ')} of ${log.length}`, [id]);
    } else if (told.some((sequence, index) => sequence !== index + 1))
      history.violated('events are told in their order', `${id}: ${told.join(', ')}`, [id]);
  }
  for (const id of outside.told.keys()) {
    if (!executions.has(id)) history.violated('nothing is told that did not happen', id, [id]);
  }
}

/** Streams of the tenant showed every event of every execution; those of one execution, all of its own. Each once, in their order. */
export function checkStreams(
  streams: readonly Follower[],
  followers: ReadonlyMap<string, Follower>,
  { executions }: Evidence,
  history: History,
): void {
  for (const stream of streams) {
    for (const execution of executions.values()) checkStream(stream, execution, history);
    for (const id of stream.shown.keys()) {
      if (!executions.has(id)) history.violated('no stream shows what did not happen', `${stream.name}: ${id}`, [id]);
    }
  }
  for (const [id, follower] of followers) {
    const execution = executions.get(id);
    if (execution !== undefined) checkStream(follower, execution, history);
  }
}

function checkStream({ name, shown, hasEnded }: Follower, { id, log }: StoredExecution, history: History): void {
  const [found, expected] = [
    (shown.get(id) ?? []).map(({ sequence, kind }) => `${sequence} ${kind}`),
    log.map(({ sequence, type }) => `${sequence} ${pascalCase(type)}`),
  ];
  const wrong = expected.findIndex((event, index) => found[index] !== event);
  if (wrong === -1 && found.length === expected.length) return;
  // The end that a retry undid was the end of the stream as well.
  if (hasEnded && log[found.length - 1]?.type === 'workflow_failed' && wrong === found.length) return;
  const at = wrong === -1 ? expected.length : wrong;
  history.violated(
    'streams are complete, in order, and show nothing twice',
    `${name} of ${id}: ${found.length} of ${expected.length} events; in place of ${expected[at]} it shows ${found[at]}`,
    [id],
  );
}
