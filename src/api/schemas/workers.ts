import { type Static, Type } from 'typebox';
import { Timestamp } from './fields.ts';

const Worker = Type.Object({
  id: Type.String(),
  /** The same as `id`. */
  worker_id: Type.String(),
  /** `external` claims over HTTP; `runtime` is a server itself. */
  kind: Type.Enum(['external', 'runtime'] as const),
  queue_types: Type.Array(Type.String()),
  status: Type.Enum(['active', 'idle'] as const),
  first_seen_at: Timestamp,
  last_seen_at: Timestamp,
  in_flight: Type.Integer(),
  claimed_total: Type.Integer(),
});

export const WorkerList = Type.Object({
  workers: Type.Array(Worker),
  in_process: Type.Object(
    {
      running: Type.Integer(),
      waiting: Type.Integer({ description: 'Attempts that wait for a slot; their nodes are `queued`.' }),
      oldest_waiting_since: Type.Union([Timestamp, Type.Null()]),
    },
    { description: 'In-process attempts of the tenant in the server that answers.' },
  ),
});
export type WorkerList = Static<typeof WorkerList>;
