import type { CommitRejection, CommitUnit } from '../../../../store/port/commit.ts';
import { StoreError } from '../../../../store/port/errors.ts';

/** The result of a unit: null = committed; an `Error` = not committed, as far as is known. */
export type CommitResult = CommitRejection | Error | null;

/**
 * Commits units in one transaction and returns the result of each. A `StoreError` concerns the database and fails all of them. On
 * any other error, e.g. a value that the database cannot store, splits the batch in half and retries, until the failing unit is
 * alone.
 */
export async function commitBisecting(
  units: readonly CommitUnit[],
  commit: (units: readonly CommitUnit[]) => Promise<readonly (CommitRejection | null)[]>,
): Promise<readonly CommitResult[]> {
  try {
    return await commit(units);
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (units.length === 1 || error instanceof StoreError) return units.map(() => error);
    const half = Math.ceil(units.length / 2);
    const first = await commitBisecting(units.slice(0, half), commit);
    return [...first, ...(await commitBisecting(units.slice(half), commit))];
  }
}
