import type { AnyMachineSnapshot } from 'xstate';
import { endStateId } from '../program/state-ids.ts';
import type { Status } from '../run.ts';

const ENDS = ['completed', 'failed', 'cancelled', 'limit_exceeded'] as const;

/**
 * The status of a snapshot, from its final state or the tags of its states: `paused` if states are parked and none is busy. A suspended
 * execution is paused even while attempts in progress finish.
 */
export function statusOf(snapshot: AnyMachineSnapshot, suspended: boolean): Status {
  if (snapshot.status !== 'done')
    return suspended || (!snapshot.hasTag('busy') && snapshot.hasTag('parked')) ? 'paused' : 'running';
  const status = ENDS.find((end) => snapshot._nodes.some((node) => node.id === endStateId(end)));
  if (status === undefined) throw new TypeError('a machine that is done must be in one of its final states');
  return status;
}
