import type { ExecutionWrite } from './port/commit.ts';

/** Throws unless the events continue the log without a gap, which could never be repaired. */
export function checkSequences({
  id,
  fromSeq,
  create,
  progress,
  events,
}: Pick<ExecutionWrite, 'id' | 'fromSeq' | 'create' | 'progress'> & {
  readonly events: readonly { readonly seq: number }[];
}): void {
  const gapless = events.every((event, index) => event.seq === fromSeq + 1 + index);
  if (!gapless || progress.seq !== fromSeq + events.length || (create === null) !== fromSeq > 0) {
    throw new Error(`execution ${id}: events ${events.map((event) => event.seq)} do not lead from ${fromSeq} to ${progress.seq}`);
  }
}
