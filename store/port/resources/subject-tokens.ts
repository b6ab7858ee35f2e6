/** The token of the person on whose behalf an execution acts, sealed by the runtime. */
export interface SubjectTokenRow {
  readonly tenantId: string;
  readonly executionId: string;
  readonly sealed: Uint8Array;
  readonly createdAtMs: number;
}

/** Sealed tokens by execution. None is logged or exported; a copy of the database has them. */
export interface SubjectTokenStore {
  put(row: SubjectTokenRow): Promise<void>;
  find(tenantId: string, executionId: string): Promise<Uint8Array | null>;
  remove(tenantId: string, executionId: string): Promise<void>;
  /** Removes those from before `createdBeforeMs` whose execution has ended or was never started. */
  removeUnused(createdBeforeMs: number): Promise<void>;
}
