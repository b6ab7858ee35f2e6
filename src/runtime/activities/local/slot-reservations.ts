import type { SlotReservation } from '../../engine/slot-reservation.ts';
import type { EventBus } from '../../events.ts';
import type { ActivityTask } from './activity-task.ts';
import type { Slots } from './slots.ts';

export interface SlotReservationsOptions {
  readonly slots: Slots<ActivityTask>;
  readonly stopping: Pick<AbortSignal, 'aborted'>;
  readonly events: EventBus;
}

/** Lets steps take slots, so that an attempt is scheduled and started in one commit. What finds no slot waits in the queue. */
export class SlotReservations {
  readonly #options: SlotReservationsOptions;

  constructor(options: SlotReservationsOptions) {
    this.#options = options;
  }

  reserve(): SlotReservation {
    const { slots, stopping, events } = this.#options;
    const taken: { readonly tenantId: string; readonly executionId: string }[] = [];
    return {
      take: (tenantId, executionId) => {
        const isTaken = !stopping.aborted && slots.take(tenantId, executionId);
        if (isTaken) taken.push({ tenantId, executionId });
        return isTaken;
      },
      release: () => {
        if (taken.length === 0) return;
        for (const { tenantId, executionId } of taken.splice(0)) slots.free(tenantId, executionId);
        events.emit('slotsReleased', null);
      },
    };
  }
}
