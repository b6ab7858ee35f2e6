import type { AnyMachineSnapshot } from 'xstate';
import { endStateId } from '../compile/state-ids.ts';
import type { Status } from '../run.ts';

const ENDS = ['completed', 'failed', 'cancelled', 'limit_exceeded'] as const;

/**
 * What a snapshot's states say: its final state, else whether anything is busy, else whether it is parked. What an operator holds is
 * paused, even while attempts that were under way come to their end.
 */
export function statusOf(snapshot: AnyMachineSnapshot, suspended: boolean): Status {
  if (snapshot.status !== 'done')
    return suspended || (!snapshot.hasTag('busy') && snapshot.hasTag('parked')) ? 'paused' : 'running';
  const status = ENDS.find((end) => snapshot._nodes.some((node) => node.id === endStateId(end)));
  if (status === undefined) throw new TypeError('a machine that is done is in one of its ends');
  return status;
}
