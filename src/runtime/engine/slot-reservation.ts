/** Slots that a step has taken for the in-process work that it starts. */
export interface SlotReservation {
  take(tenantId: string, executionId: string): boolean;
  /** Call once the work has started and occupies slots of its own, or will not start. */
  release(): void;
}
