import type { StreamRange } from '../../audit/digest.ts';
import type { RemovalRecord, StreamContent } from '../../audit/stream-content.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import type { ExecutionRow } from '../../port/executions.ts';
import type { Queries } from '../connections.ts';
import { EVENT_RANGE, REMOVED_EXECUTION } from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { TENANT_EXECUTION } from '../queries/executions.ts';
import { first } from '../runtime-reads.ts';

/** Reads the rows that audit blocks seal. */
export class StreamRows {
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
  }

  async read({ tenantId, executionId, firstSeq, lastSeq }: StreamRange): Promise<StreamContent> {
    if (executionId === null) {
      return { created: null, events: await this.#queries.query<StoredEvent>(CONTROL_EVENTS, [tenantId, firstSeq, lastSeq]) };
    }
    const [events, created] = await Promise.all([
      this.#queries.query<StoredEvent>(EVENT_RANGE, [executionId, tenantId, firstSeq, lastSeq]),
      firstSeq === 1 ? this.#queries.query<ExecutionRow>(TENANT_EXECUTION, [executionId, tenantId]) : [],
    ]);
    return { created: first(created), events };
  }

  async removal(tenantId: string, executionId: string): Promise<RemovalRecord | null> {
    return first(await this.#queries.query<RemovalRecord>(REMOVED_EXECUTION, [executionId, tenantId]));
  }

  /** One control event; null when there is none. */
  async controlEvent(tenantId: string, seq: number): Promise<StoredEvent | null> {
    return first(await this.#queries.query<StoredEvent>(CONTROL_EVENTS, [tenantId, seq, seq]));
  }
}
