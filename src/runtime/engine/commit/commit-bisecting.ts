import type { CommitRejection, CommitUnit } from '../../../../store/port/commit.ts';
import { StoreError } from '../../../../store/port/errors.ts';

/** What became of a unit: null = it is committed; an `Error` = nothing of it is, as far as is known. */
export type CommitResult = CommitRejection | Error | null;

/**
 * Commits units together, and answers what became of each. A `StoreError` tells of the database and fails all of them. Any other error is about
 * what one of them holds and the database does not take: the others are not to suffer for it, so they are committed by halves until it stands alone.
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
