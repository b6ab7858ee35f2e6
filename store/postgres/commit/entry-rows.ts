import { hash } from 'node:crypto';
import type { EventContext, LogEntry } from '../../log/entry.ts';
import { jsonText } from '../json-text.ts';
import { APPEND_ENTRIES, INSERT_ACTORS, INSERT_REVISIONS } from '../queries/commit.ts';
import { SAME_REQUEST } from '../queries/log.ts';
import type { BoundStatement } from './commit-functions.ts';
import type { EncodedWrite } from './encoded-write.ts';

export type Actor = Pick<EventContext, 'actorId' | 'actorType' | 'onBehalfOf'>;

/** The unique key of an actor in its tenant. */
export function actorKey({ actorType, actorId, onBehalfOf }: Actor): string {
  return hash('sha256', JSON.stringify([actorType, actorId, onBehalfOf]), 'base64url');
}

/** The distinct actors of a batch. Entries refer to them by their place in the list, from 1 on. */
export class ActorList {
  readonly #places = new Map<string, number>();
  readonly #rows: object[] = [];

  placeOf(tenantId: string, actor: Actor): number {
    const { actorType, actorId, onBehalfOf } = actor;
    const name = JSON.stringify([tenantId, actorType, actorId, onBehalfOf]);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#rows.length + 1;
    this.#places.set(name, place);
    this.#rows.push({ place, tenant_id: tenantId, key: actorKey(actor), id: actorId, type: actorType, on_behalf_of: onBehalfOf });
    return place;
  }

  get json(): string {
    return jsonText(this.#rows);
  }
}

export interface LogStatements {
  /** Give numbers to names. They come first in a transaction, before locks of executions. */
  readonly names: readonly BoundStatement[];
  readonly entries: readonly BoundStatement[];
}

/** The statements that append the entries of writes. */
export function logStatements(writes: readonly EncodedWrite[]): LogStatements {
  const actors = new ActorList();
  const rows = writes.flatMap(({ id, tenantId, entries }) =>
    withSameRequests(entries).map((entry) => ({
      execution_id: id,
      tenant_id: tenantId,
      at_ms: entry.atMs,
      seq: entry.seq,
      actor: actors.placeOf(tenantId, entry),
      events: entry.events,
      types: entry.types,
      request: entry.request,
      body: entry.body,
    })),
  );
  const revisions = [...new Set(writes.flatMap(({ create }) => (create === null ? [] : [create.revision])))];
  const { json } = actors;
  return {
    names: [
      ...(rows.length === 0 ? [] : [{ statement: INSERT_ACTORS, values: [json] }]),
      ...(revisions.length === 0 ? [] : [{ statement: INSERT_REVISIONS, values: [jsonText(revisions)] }]),
    ],
    entries: rows.length === 0 ? [] : [{ statement: APPEND_ENTRIES, values: [jsonText(rows), json] }],
  };
}

/** Names a request once for two entries: those of one commit differ in the actor alone where it starts an execution. */
export function withSameRequests<Entry extends Pick<LogEntry, 'request'>>(entries: readonly Entry[]): readonly Entry[] {
  let before: string | null = null;
  return entries.map((entry) => {
    const isSame = entry.request !== null && entry.request === before;
    before = isSame ? null : entry.request;
    return isSame ? { ...entry, request: SAME_REQUEST } : entry;
  });
}
