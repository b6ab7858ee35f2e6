import { TERMINAL } from '../../../machines/run.ts';
import { CoalescedJob } from '../coalesced-job.ts';
import type { RuntimeContext } from '../context.ts';
import { openApprovals } from '../engine/commit/approval-writes.ts';
import type { ExecutionLoader } from '../engine/loading/execution-loader.ts';
import { RuntimeError } from '../errors.ts';

const PAGE_SIZE = 100;

export interface UnlistedApprovalsOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'stopping' | 'onError'> {
  readonly loader: ExecutionLoader;
}

/**
 * Enters the open approvals of executions that an earlier release has started into the list of approvals, once after an upgrade. Several
 * runtimes may do it at the same time.
 */
export class UnlistedApprovals {
  readonly #options: UnlistedApprovalsOptions;
  readonly #job: CoalescedJob;

  constructor(options: UnlistedApprovalsOptions) {
    this.#options = options;
    this.#job = new CoalescedJob(options, () => this.#enterAll());
  }

  begin(): void {
    this.#job.request();
  }

  close(): Promise<void> {
    return this.#job.close();
  }

  /** Resolves when all are entered, and after `maxWaitMs` at the latest. */
  async entered(maxWaitMs: number): Promise<void> {
    const { clock } = this.#options;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(maxWaitMs, resolve);
    });
    await Promise.race([this.#job.idle(), late]);
    cancel();
  }

  async #enterAll(): Promise<void> {
    const { store, stopping, onError } = this.#options;
    for (let after = ''; !stopping.aborted; ) {
      const page = await store.approvals.unlisted({ after, limit: PAGE_SIZE });
      for (const id of page) {
        if (stopping.aborted) return;
        try {
          while (!(await this.#enter(id)));
        } catch (error) {
          // A corrupt execution has no approvals that could be decided.
          if (!(error instanceof RuntimeError && error.code === 'corrupt')) throw error;
          onError(error);
        }
      }
      if (page.length < PAGE_SIZE) return;
      after = page.at(-1) ?? after;
    }
  }

  /** False = the execution has moved on meanwhile. */
  async #enter(id: string): Promise<boolean> {
    const { store, loader } = this.#options;
    const execution = await loader.current(id);
    if (execution === null || TERMINAL.has(execution.run.status)) {
      await store.approvals.forget(id);
      return true;
    }
    const { tenantId, run } = execution;
    const open = openApprovals(execution, run).map((entry) => ({ ...entry, executionId: id, tenantId }));
    return store.approvals.enter(id, run.seq, open);
  }
}
