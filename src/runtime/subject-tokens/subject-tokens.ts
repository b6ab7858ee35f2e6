import type { RuntimeContext } from '../context.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import { RuntimeError } from '../errors.ts';
import { open, type SealedFor, seal } from './sealed.ts';

/** Tokens that a process without a key keeps at most. */
const MAX_IN_MEMORY = 100_000;
const MAX_DEPTH = 64;
/** A token is stored before its execution starts: one that is older than this, without an execution, is not wanted. */
const UNUSED_AFTER_MS = 60 * 60_000;

export interface SubjectTokensOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'events' | 'onError'> {
  /** 32 bytes that seal the stored tokens; null = tokens are kept in memory. */
  readonly secretKey: Buffer | null;
}

/**
 * The tokens of the people on whose behalf executions act: given with the start, gone with the end, and never part of an execution's input,
 * state or log. Child executions act for the same person.
 */
export class SubjectTokens {
  readonly #options: SubjectTokensOptions;
  readonly #inMemory = new Map<string, string>();
  readonly #removals = new Set<Promise<void>>();

  constructor(options: SubjectTokensOptions) {
    this.#options = options;
    options.events.on('committedElsewhere', ({ id, ended }) => {
      if (ended) this.#inMemory.delete(id);
    });
  }

  /** Forgets the token of an execution that has ended. */
  ended({ id, tenantId, loaded }: CachedExecution): void {
    if (loaded.program.workflow.oauth !== null) this.#inBackground(this.forget({ tenantId, executionId: id }));
  }

  /** Removes what a runtime left behind that ended between two commits. */
  begin(): void {
    const { store, clock } = this.#options;
    this.#inBackground(store.subjectTokens.removeUnused(clock.nowMs() - UNUSED_AFTER_MS));
  }

  /** Resolves once no removal is in progress. */
  async idle(): Promise<void> {
    await Promise.all(this.#removals);
  }

  #inBackground(removal: Promise<void>): void {
    const reported = removal.catch(this.#options.onError).finally(() => this.#removals.delete(reported));
    this.#removals.add(reported);
  }

  /** For an execution that is about to start. */
  async keep(owner: SealedFor, token: string): Promise<void> {
    const { store, clock, secretKey } = this.#options;
    if (secretKey !== null)
      return store.subjectTokens.put({ ...owner, sealed: seal(token, secretKey, owner), createdAtMs: clock.nowMs() });
    if (this.#inMemory.size >= MAX_IN_MEMORY)
      throw new RuntimeError(
        'overloaded',
        `this runtime keeps ${MAX_IN_MEMORY} subject tokens in memory; set JAMJET_SECRET_KEY to store them`,
      );
    this.#inMemory.set(owner.executionId, token);
  }

  async forget({ tenantId, executionId }: SealedFor): Promise<void> {
    this.#inMemory.delete(executionId);
    if (this.#options.secretKey !== null) await this.#options.store.subjectTokens.remove(tenantId, executionId);
  }

  /** The token of the execution, or of the nearest execution that it is a child of; null = there is none, or it cannot be opened. */
  async find(tenantId: string, executionId: string): Promise<string | null> {
    const tenant = this.#options.store.tenant(tenantId);
    let id: string | null = executionId;
    for (let depth = 0; id !== null && depth < MAX_DEPTH; depth += 1) {
      const token = await this.#own({ tenantId, executionId: id });
      if (token !== null) return token;
      id = (await tenant.execution(id))?.parentId ?? null;
    }
    return null;
  }

  async #own(owner: SealedFor): Promise<string | null> {
    const { store, secretKey } = this.#options;
    const kept = this.#inMemory.get(owner.executionId);
    if (kept !== undefined || secretKey === null) return kept ?? null;
    const sealed = await store.subjectTokens.find(owner.tenantId, owner.executionId);
    return sealed === null ? null : open(sealed, secretKey, owner);
  }
}
