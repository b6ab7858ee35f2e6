import type { Visit } from '../../../../machines/messages.ts';
import type { Run } from '../../../../machines/run.ts';
import { isSuspended, journalOfVisit } from '../../../../machines/step/index.ts';
import type { JournalView } from '../../../executors/journal-access.ts';

/** The journal of a visit after a commit; null = the visit is over. */
export function journalViewOf(run: Run, visit: Visit): JournalView | null {
  const found = journalOfVisit(run, visit);
  return found === null ? null : Object.assign({}, found, { seq: run.seq, isSuspended: isSuspended(run) });
}
