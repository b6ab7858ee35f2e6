import type { JamjetClient } from '../../../client/index.ts';
import type { EvalRow } from '../../../evaluation/dataset.ts';
import type { EndedExecution, EvalTarget } from '../../../evaluation/run.ts';
import { readLog } from '../../connection/read-log.ts';
import { sleep } from '../../sleep.ts';
import { isTerminal } from '../../terminal/status.ts';

/** One request waits so long, at most. */
const WAIT_MS = 20_000;
/** A paused execution is answered at once, so it is asked again after this time. */
const PAUSED_MS = 250;

export interface ApiTargetOptions {
  readonly workflowId: string;
  readonly version: string;
  readonly timeoutMs: number;
}

/** Runs rows through the API. An execution that does not end in time is cancelled. */
export class ApiTarget implements EvalTarget {
  readonly #client: JamjetClient;
  readonly #options: ApiTargetOptions;

  constructor(client: JamjetClient, options: ApiTargetOptions) {
    this.#client = client;
    this.#options = options;
  }

  async run({ input }: EvalRow, signal: AbortSignal): Promise<EndedExecution> {
    const { workflowId: workflow_id, version: workflow_version, timeoutMs } = this.#options;
    const { execution_id: executionId } = await this.#client.start({ workflow_id, workflow_version, input }, { signal });
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - performance.now();
      const execution = await this.#client.execution(executionId, {
        waitMs: Math.max(1, Math.ceil(Math.min(WAIT_MS, leftMs))),
        signal,
      });
      const { status, state, error, created_at, completed_at } = execution;
      if (isTerminal(status)) {
        const durationMs = Date.parse(completed_at ?? created_at) - Date.parse(created_at);
        return { executionId, status, state, error: error ?? null, durationMs, events: await readLog(this.#client, executionId) };
      }
      if (performance.now() >= deadlineMs) {
        await this.#client.cancel(executionId, 'eval: took too long').catch(() => undefined);
        throw new Error(`${executionId} is still ${status} after ${timeoutMs / 1000} s`);
      }
      if (status === 'paused') await sleep(Math.min(PAUSED_MS, Math.max(0, deadlineMs - performance.now())), signal);
    }
  }
}
