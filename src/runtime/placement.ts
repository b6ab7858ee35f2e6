/** Which runtime works on what. On a database of its own, a runtime does everything. */
export interface Placement {
  /** No other live runtime is known. */
  readonly isAlone: boolean;
  /** Is that runtime live, this one included? */
  isAlive(runtimeId: string): boolean;
  /** Is this the runtime to do, for an execution, what any of the live ones could? Two may answer yes for a moment. */
  isResponsible(executionId: string): boolean;
  /** The runtime that does the in-process work of an execution after a commit of this one. */
  ownerAfter(executionId: string, owner: string | null): string;
  /** Makes sure that a runtime is not taken for lost because it was started a moment ago. */
  confirm(runtimeId: string): Promise<void>;
}

export function singleProcess(runtimeId: string): Placement {
  return {
    isAlone: true,
    isAlive: (id) => id === runtimeId,
    isResponsible: () => true,
    ownerAfter: () => runtimeId,
    confirm: async () => {},
  };
}
