import { type WorkContext, WorkError } from '../../executors/executor.ts';
import type { ThreadMessageView, ToolThread } from '../../executors/threads/message.ts';
import { RuntimeError } from '../errors.ts';
import type { Threads } from './threads.ts';

const LIMITS = { default: 100, max: 1_000 };

/** A thread of a tenant as a tool sees it. */
export class AttemptThread implements ToolThread {
  readonly id: string;
  readonly #threads: Threads;
  readonly #attempt: Pick<WorkContext, 'tenantId'>;

  constructor(threads: Threads, attempt: Pick<WorkContext, 'tenantId'>, id: string) {
    this.id = id;
    this.#threads = threads;
    this.#attempt = attempt;
  }

  async messages({ limit = LIMITS.default }: { readonly limit?: number } = {}): Promise<readonly ThreadMessageView[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.max)
      throw new WorkError(`limit must be a whole number from 1 to ${LIMITS.max}`, { retryable: false, errorClass: 'validation' });
    try {
      const { messages } = await this.#threads.messages(this.#attempt.tenantId, this.id, { order: 'desc', limit });
      return [...messages].reverse();
    } catch (error) {
      // The first turn of a thread creates it when it ends.
      if (error instanceof RuntimeError && error.code === 'not_found') return [];
      throw error;
    }
  }
}
