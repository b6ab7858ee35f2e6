import type { JsonObject } from '../../../../machines/json.ts';
import type { Run } from '../../../../machines/run.ts';
import { workOf } from '../../../../machines/step/index.ts';
import type { WorkItemRow } from '../../../../store/port/work-items.ts';
import type { CachedExecution } from '../../engine/loading/execution-cache.ts';
import { RuntimeError } from '../../errors.ts';
import type { TimeSlices } from '../../scheduling/time-slices.ts';

/** Stored in place of the payload of a node's work, which is made when the item is claimed. */
export const RENDERED_ON_CLAIM = '';

export interface WorkPayloadsOptions {
  readonly slices: TimeSlices;
  /** Reads an execution, in memory or not; null = unknown. */
  readonly read: (executionId: string) => Promise<CachedExecution | null>;
}

/**
 * What a worker is given with an item. A node's input and state are rendered for one claim at a time and not stored: a fan-out of a thousand
 * nodes would store the state a thousand times, in one commit.
 */
export class WorkPayloads {
  readonly #options: WorkPayloadsOptions;

  constructor(options: WorkPayloadsOptions) {
    this.#options = options;
  }

  /** The payload of an item that was claimed by the step that led to `run`, or the expression whose rendering is too much work. */
  async of(row: WorkItemRow, run: Run): Promise<{ readonly payload: JsonObject } | { readonly exceeded: string }> {
    if (row.payload !== RENDERED_ON_CLAIM) return { payload: JSON.parse(row.payload) as JsonObject };
    const { slices, read } = this.#options;
    const hot = await read(row.executionId);
    if (hot === null) throw new RuntimeError('corrupt', `execution ${row.executionId} is not in the store`);
    const turn = slices.slice(hot.tenantId).next();
    if (turn !== null) await turn;
    const { payload, inputExceeded } = workOf(hot.loaded.program, run, row.nodeId, {
      executionId: hot.id,
      vars: hot.loaded.vars,
    });
    return inputExceeded === undefined ? { payload } : { exceeded: inputExceeded };
  }
}
