/** An event as it was before its data was redacted. */
export interface OriginalEvent {
  readonly seq: number;
  /** Random: without it, the digest in the redacted event tells nothing of the original. */
  readonly salt: string;
  /** JSON text of its data. */
  readonly data: string;
}

/** What an execution with a data policy writes beside its redacted events. */
export interface RedactionWrite {
  readonly originals: readonly OriginalEvent[];
  /** The commit ends the execution, so that its originals are to be erased; null = it goes on. */
  readonly ended: { readonly atMs: number; readonly removeAtMs: number | null } | null;
}

/** An execution that has ended, and whose originals have not been erased completely. */
export interface PendingErasure {
  readonly executionId: string;
  readonly tenantId: string;
}

export interface Erasure extends PendingErasure {
  /** The end of its log, and the snapshot that is all that remains of its state. */
  readonly seq: number;
  readonly snapshot: string;
  readonly atMs: number;
}

/**
 * `done`: also when it had been erased or removed before · `more`: originals are left for the next call, so that none takes long · `needed`: nothing was
 * erased, because a message about the execution has not been delivered.
 */
export type ErasureResult = 'done' | 'more' | 'needed';

/** Personal data of executions whose workflow has a data policy: needed while they run, erased when they have ended. */
export interface ErasureStore {
  /** The originals of redacted events, between two sequences (inclusive), in order. */
  originals(executionId: string, from: number, to: number): Promise<readonly OriginalEvent[]>;
  /** In order of ids, `after` exclusive. */
  pending(page: { readonly after: string; readonly limit: number }): Promise<readonly PendingErasure[]>;
  /**
   * Erases what is left of ended executions' personal data, in one transaction: their originals, their checkpoints, which the snapshots replace, payloads
   * of work items and digests of requests. Resolves to one result per execution, in order.
   */
  erase(erasures: readonly Erasure[]): Promise<readonly ErasureResult[]>;
}
