import type { Client } from 'pg';
import type { CommittedExecution, ControlChange, Notice } from '../notices.ts';
import type { Batch } from '../writes.ts';
import { type Connections, part } from './connections.ts';

const CHANNEL = 'jamjet';
/** PostgreSQL takes payloads below 8,000 bytes. */
const PAYLOAD_CHARS = 2_000;
const RECONNECT_MS = 1_000;
/** Notifications can be lost without a trace, by a proxy that drops them for one: now and then everybody looks for himself. */
const SWEEP_MS = 30_000;

type Packed = readonly [tenantId: string, id: string, seq: number, began: 0 | 1, ended: 0 | 1, owner: string | null];

interface Payload {
  /** Who sends: it does not tell itself. */
  readonly from: string;
  readonly executions: readonly Packed[];
  readonly due: number | null;
  readonly queues: readonly (readonly [tenantId: string, queue: string])[];
  readonly inbox: boolean;
  readonly control: readonly (readonly [tenantId: string, type: string])[];
}

/** What a batch is worth telling others, in payloads that are small enough. */
export function payloadsOf(from: string, batch: Batch): readonly string[] {
  const writes = batch.units.flatMap((unit) => unit.executions);
  const packed = writes.map(
    ({ tenantId, id, create, revive, head }): Packed => [
      tenantId,
      id,
      head.seq,
      create === null && revive === undefined ? 0 : 1,
      head.completedAtMs === null ? 0 : 1,
      head.owner,
    ],
  );
  const dueAt = writes.flatMap(({ create, revive, timers }) => [
    ...(revive?.deadlineAtMs == null ? [] : [revive.deadlineAtMs]),
    ...(create?.deadlineAtMs == null ? [] : [create.deadlineAtMs]),
    ...timers.flatMap((timer) => (timer.op === 'set' ? [timer.atMs] : [])),
  ]);
  const queues = new Map(
    writes.flatMap(({ tenantId, work }) =>
      work.flatMap((each) =>
        each.op === 'put' ? [[`${tenantId}\n${each.item.queue}`, [tenantId, each.item.queue] as const]] : [],
      ),
    ),
  );
  const rest = {
    due: dueAt.length === 0 ? null : Math.min(...dueAt),
    queues: [...queues.values()],
    inbox: writes.some((write) => write.send.length > 0),
    control: [],
  };
  return inPieces(packed).map((executions, index) =>
    JSON.stringify(
      index === 0
        ? ({ from, executions, ...rest } satisfies Payload)
        : ({ from, executions, due: null, queues: [], inbox: false, control: [] } satisfies Payload),
    ),
  );
}

/** What an action on the control plane is worth telling others. */
export function controlPayload(from: string, { tenantId, type }: ControlChange): string {
  const payload: Payload = { from, executions: [], due: null, queues: [], inbox: false, control: [[tenantId, type]] };
  return JSON.stringify(payload);
}

function inPieces(all: readonly Packed[]): readonly (readonly Packed[])[] {
  const pieces: Packed[][] = [[]];
  let chars = 0;
  for (const each of all) {
    const length = each[0].length + each[1].length + (each[5]?.length ?? 0) + 24;
    if (chars + length > PAYLOAD_CHARS && chars > 0) {
      pieces.push([]);
      chars = 0;
    }
    pieces.at(-1)?.push(each);
    chars += length;
  }
  return pieces;
}

/** Listens to what other processes commit, on a connection of its own, and listens again when that breaks. */
export class Listener {
  readonly #connections: Connections;
  readonly #self: string;
  readonly #failed: (error: Error) => void;
  readonly #told = new Set<(notice: Notice) => void>();
  #client: Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(connections: Connections, self: string, failed: (error: Error) => void) {
    this.#connections = connections;
    this.#self = self;
    this.#failed = failed;
  }

  watch(told: (notice: Notice) => void): () => void {
    this.#told.add(told);
    if (this.#told.size === 1) {
      void this.#listen();
      this.#sweep = setInterval(() => this.#tell(GAP), SWEEP_MS);
      this.#sweep.unref();
    }
    return () => this.#told.delete(told);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#sweep);
    this.#told.clear();
    if (this.#client !== null) await part(this.#client);
  }

  async #listen(): Promise<void> {
    if (this.#closed) return;
    try {
      const client = await this.#connections.listening();
      this.#client = client;
      client.on('notification', ({ payload }) => {
        if (payload !== undefined) this.#hear(payload);
      });
      client.once('error', (error: Error) => this.#again(client, error));
      client.once('end', () => this.#again(client, null));
      await client.query(`LISTEN ${CHANNEL}`);
      if (this.#closed) await part(client);
      else this.#tell(GAP);
    } catch (error) {
      this.#again(this.#client, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #again(client: Client | null, error: Error | null): void {
    if (this.#closed || (client !== null && client !== this.#client)) return;
    this.#client = null;
    if (error !== null) this.#failed(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#listen(), RECONNECT_MS);
  }

  #hear(text: string): void {
    const payload = JSON.parse(text) as Payload;
    if (payload.from === this.#self) return;
    this.#tell({
      executions: payload.executions.map(
        ([tenantId, id, seq, began, ended, owner]): CommittedExecution => ({
          tenantId,
          id,
          seq,
          began: began === 1,
          ended: ended === 1,
          owner,
        }),
      ),
      dueAtMs: payload.due,
      queues: payload.queues.map(([tenantId, queue]) => ({ tenantId, queue })),
      inbox: payload.inbox,
      control: payload.control.map(([tenantId, type]) => ({ tenantId, type })),
      gap: false,
    });
  }

  #tell(notice: Notice): void {
    for (const told of this.#told) told(notice);
  }
}

const GAP: Notice = { executions: [], dueAtMs: null, queues: [], inbox: false, control: [], gap: true };
