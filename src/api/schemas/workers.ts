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

export const WorkerList = Type.Object({ workers: Type.Array(Worker) });
export type WorkerList = Static<typeof WorkerList>;
