import { isObject, type JsonObject } from '../../../machines/json.ts';
import type { ApprovalPosition, ApprovalRow } from '../../../store/port/resources/approvals.ts';
import type { RuntimeContext } from '../context.ts';
import { RuntimeError } from '../errors.ts';
import { isRedacted } from '../redaction/original-events.ts';
import type { ApprovalItem, ApprovalPage, ApprovalPageRequest, EventView } from '../types/executions.ts';
import type { EventQueries } from './event-queries.ts';
import type { ExecutionQueries } from './execution-queries.ts';

export interface ApprovalInboxOptions extends Pick<RuntimeContext, 'store' | 'clock'> {
  readonly executions: ExecutionQueries;
  readonly eventLog: EventQueries;
}

/** The approvals of all executions of a tenant. */
export class ApprovalInbox {
  readonly #options: ApprovalInboxOptions;

  constructor(options: ApprovalInboxOptions) {
    this.#options = options;
  }

  /** What was asked and decided is read from the logs while the items are iterated, one at a time. */
  async page(tenantId: string, request: ApprovalPageRequest): Promise<ApprovalPage> {
    const { store } = this.#options;
    const { status, limit, withState } = request;
    const rows = await store.approvals.page(tenantId, { ...request, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = rows.length > limit && last !== undefined ? positionOf(last, status) : null;
    return { items: this.#items(tenantId, shown, withState), next };
  }

  /** How many await a decision. */
  async countPending(tenantId: string, workflowId?: string): Promise<number> {
    const { store } = this.#options;
    return store.approvals.countPending(tenantId, workflowId);
  }

  async *#items(tenantId: string, rows: readonly ApprovalRow[], withState: boolean): AsyncGenerator<ApprovalItem> {
    for (const row of rows) {
      try {
        yield await this.#item(tenantId, row, withState);
      } catch (error) {
        // Removed since the page was read.
        if (!(error instanceof RuntimeError && error.code === 'not_found')) throw error;
      }
    }
  }

  async #item(tenantId: string, row: ApprovalRow, withState: boolean): Promise<ApprovalItem> {
    const { executionId, workflowId, nodeId, activation, item, requestedAtMs, expiresAtMs, decidedSeq } = row;
    const asked = await this.#event(tenantId, executionId, row.seq, withState);
    const { data, type } = asked;
    const byPolicy = type === 'tool_approval_required';
    const toolName = byPolicy ? String(data.tool_name) : 'human_approval';
    const context = byPolicy ? (data.context as JsonObject) : { description: data.description ?? '' };
    return {
      executionId,
      workflowId,
      nodeId,
      activation,
      ...(item === null ? {} : { item }),
      kind: byPolicy ? 'tool' : 'human_approval',
      toolName,
      message: byPolicy ? `Run ${toolName}?` : String(data.description ?? ''),
      context,
      state: withState ? await this.#stateFor(tenantId, executionId, asked) : null,
      sequence: row.seq,
      requestedAtMs,
      expiresAtMs,
      decision: decidedSeq === null ? null : decisionOf(await this.#event(tenantId, executionId, decidedSeq, true)),
    };
  }

  /** The event, with the state that it shows or without. */
  async #event(tenantId: string, id: string, sequence: number, withState: boolean): Promise<EventView> {
    const { eventLog, store } = this.#options;
    if (!withState) {
      const [row] = (await store.events(id, { after: sequence - 1, limit: 1 })).rows;
      if (row !== undefined) return { executionId: id, ...row, sequence, createdAtMs: row.atMs, redacted: isRedacted(row) };
    } else for await (const event of eventLog.events(tenantId, id, { after: sequence - 1, limit: 1 })) return event;
    throw new RuntimeError('not_found', `execution ${id} has no event ${sequence}`);
  }

  /** A node that a policy holds is shown the state as it is now: that is what it would be given. */
  async #stateFor(tenantId: string, id: string, { type, data }: EventView): Promise<JsonObject | null> {
    if (type === 'tool_approval_required') return (await this.#options.executions.execution(tenantId, id)).state;
    const { state_for_review: state } = data;
    return isObject(state) ? state : null;
  }
}

function positionOf(
  { executionId, seq, requestedAtMs, decidedAtMs }: ApprovalRow,
  status: 'pending' | 'decided',
): ApprovalPosition {
  return { atMs: status === 'pending' ? requestedAtMs : (decidedAtMs ?? 0), executionId, seq };
}

function decisionOf({ data, actorId, onBehalfOf, sequence, createdAtMs }: EventView): ApprovalItem['decision'] {
  return {
    status: data.decision === 'approved' ? 'approved' : 'rejected',
    userId: String(data.user_id),
    actorId,
    onBehalfOf,
    comment: typeof data.comment === 'string' ? data.comment : null,
    sequence,
    decidedAtMs: createdAtMs,
  };
}
