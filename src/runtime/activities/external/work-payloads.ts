import type { JsonObject } from '../../../../machines/json.ts';
import type { Run } from '../../../../machines/run.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage, workOf } from '../../../../machines/step/index.ts';
import type { WorkItemRow } from '../../../../store/port/work-items.ts';
import { RENDERED_ON_CLAIM } from '../../engine/commit/commit-builder.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import { redactedInSlices } from '../../redaction/in-slices.ts';
import type { TimeSlices } from '../../scheduling/time-slices.ts';
import { visitOf } from '../../timers/timer-queue.ts';

/** The failure of an attempt whose input cannot be rendered. It is not retried. */
interface RenderFailure {
  readonly error: string;
  readonly errorClass: string;
}

export interface WorkPayloadsOptions {
  readonly slices: TimeSlices;
}

/**
 * Renders the payload of a claimed item. It is not stored: a fan-out of a thousand nodes would store the state a thousand times,
 * in one commit.
 */
export class WorkPayloads {
  readonly #options: WorkPayloadsOptions;

  constructor(options: WorkPayloadsOptions) {
    this.#options = options;
  }

  /**
   * The payload of an item that was claimed by the step that led to `run`, or why it cannot be rendered: an expression exceeded the evaluation
   * budget, or calls what does not exist.
   */
  async render(
    row: WorkItemRow,
    run: Run,
    execution: CachedExecution,
  ): Promise<{ readonly payload: JsonObject } | { readonly failure: RenderFailure }> {
    if (row.payload !== RENDERED_ON_CLAIM) return { payload: JSON.parse(row.payload) as JsonObject };
    const { slices } = this.#options;
    const slice = slices.slice(execution.tenantId);
    const turn = slice.next();
    if (turn !== null) await turn;
    const { program, vars } = execution.loaded;
    const { payload, inputExceeded, inputUnknown, inputErrors } = await redactedInSlices(slice, () =>
      workOf(program, run, visitOf(row), { executionId: execution.id, vars }),
    );
    if (inputExceeded !== undefined)
      return { failure: { error: budgetExceededMessage(inputExceeded), errorClass: BUDGET_EXCEEDED } };
    if (inputUnknown === undefined) return { payload };
    return { failure: { error: `the input cannot be rendered: ${inputErrors.join('; ')}`, errorClass: 'validation' } };
  }
}
