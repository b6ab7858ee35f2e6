import { hash } from 'node:crypto';
import type { JsonObject } from '../../../machines/json.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import type { OriginalEvent } from '../../../store/port/resources/erasures.ts';
import { RuntimeError } from '../errors.ts';

/** The key of a redacted event's data that holds the digest of its original. */
export const DIGEST_KEY = 'redacted';

/** The digest of an event's data before it was redacted. Without the salt, which is erased with the original, it tells nothing of it. */
export function digestOfOriginal({ salt, data }: Pick<OriginalEvent, 'salt' | 'data'>): string {
  return hash('sha256', `${salt} ${data}`, 'base64url');
}

export function isRedacted({ data }: Pick<EventRow, 'data'>): boolean {
  return typeof data[DIGEST_KEY] === 'string';
}

/** The data of an event as it is shown: the digest is evidence for audits, and no part of the event. */
export function withoutDigest(data: JsonObject): JsonObject {
  const { [DIGEST_KEY]: _digest, ...shown } = data;
  return shown;
}

/**
 * Rows of a log, in order, as the steps logged them. Throws `redacted` when originals were erased, and `corrupt` when one is not what was
 * redacted.
 */
export async function withOriginals(
  store: ExecutionStore,
  executionId: string,
  rows: readonly EventRow[],
): Promise<readonly EventRow[]> {
  const redacted = rows.filter(isRedacted);
  const [first] = redacted;
  const last = redacted.at(-1);
  if (first === undefined || last === undefined) return rows;
  const stored = await store.erasures.originals(executionId, first.seq, last.seq);
  const originals = new Map(stored.map((original) => [original.seq, original]));
  return rows.map((row) => {
    if (!isRedacted(row)) return row;
    const original = originals.get(row.seq);
    if (original === undefined) throw erasedError(executionId);
    if (digestOfOriginal(original) !== row.data[DIGEST_KEY]) {
      const message = `the original of event ${row.seq} of execution ${executionId} was changed in the database`;
      throw new RuntimeError('corrupt', message);
    }
    return { ...row, data: JSON.parse(original.data) as JsonObject };
  });
}

/** The error for what would need the originals of an execution's events. */
export function erasedError(executionId: string): RuntimeError {
  return new RuntimeError(
    'redacted',
    `execution ${executionId} has ended, and its data policy erases what its log was replayed from: it cannot be retried, forked or read as it was`,
  );
}
