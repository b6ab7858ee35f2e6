import { digestRows } from '../audit/digest.ts';
import type { ActionContext } from '../port/control.ts';
import type { ControlEvent } from '../resources/database.ts';
import { wellFormedEvent } from '../well-formed.ts';
import type { Queries } from './connections.ts';
import { controlPayload } from './notify/payloads.ts';
import * as sql from './queries/control.ts';
import type { Writer } from './writer.ts';

/** Records actions on the control plane: their changes, event and audit block in one transaction. */
export class ControlLog {
  readonly #writer: Writer;

  readonly #self: string;

  /** `self` identifies this process in its notifications. */
  constructor(writer: Writer, self: string) {
    this.#writer = writer;
    this.#self = self;
  }

  /**
   * `apply` makes the change and resolves to its event (null = nothing changed, nothing is logged); `seq` is the sequence of the event in the tenant's
   * control log. When it throws, everything is rolled back. It may be called again from the beginning.
   */
  act(context: ActionContext, apply: (queries: Queries, seq: number) => Promise<ControlEvent | null>): Promise<void> {
    const { tenantId, atMs, actorId, actorType, request } = context;
    return this.#writer.write(async (transaction) => {
      await transaction.query(sql.LOCK_CONTROL_LOG, [tenantId]);
      const [next] = await transaction.query<{ seq: number }>(sql.NEXT_CONTROL_SEQ, [tenantId]);
      const seq = next?.seq ?? 1;
      const event = await apply(transaction, seq);
      if (event === null) return { result: undefined, atMs, streams: [] };
      const { type, data } = event;
      const row = wellFormedEvent({ seq, type, nodeId: null, data, atMs, actorId, actorType, onBehalfOf: null, request });
      transaction.send(sql.APPEND_CONTROL_EVENT, [tenantId, seq, row.type, atMs, row.actorId, actorType, row.request, row.data]);
      const range = { tenantId, executionId: null, firstSeq: seq, lastSeq: seq };
      const notifications = [controlPayload(this.#self, { tenantId, type: row.type })];
      return {
        result: undefined,
        atMs,
        streams: [{ ...range, digest: digestRows(range, [row]) }],
        notifications,
      };
    });
  }
}
