import { endStateId } from '../program/state-ids.ts';
import type { Status } from '../run.ts';
import type { Configuration } from './configuration.ts';

const ENDS = ['completed', 'failed', 'cancelled', 'limit_exceeded'] as const;

/**
 * The status of an execution, from the final state of its machine or the tags of the states it is in: `paused` if states are parked and none is
 * busy, `pending` if it has not begun. A suspended execution is paused even while attempts in progress finish.
 */
export function statusOf({ hasBegun, end, isBusy, isParked }: Configuration, suspended: boolean): Status {
  if (end === null) {
    if (suspended || (!isBusy && isParked)) return 'paused';
    return hasBegun ? 'running' : 'pending';
  }
  const status = ENDS.find((status) => end.id === endStateId(status));
  if (status === undefined) throw new TypeError('a machine that is done must be in one of its final states');
  return status;
}
