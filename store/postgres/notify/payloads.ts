import type { ExecutionWrite } from '../../port/commit.ts';
import type { CommittedExecution, ControlChange, StoreNotification } from '../../port/notifications.ts';

/** PostgreSQL accepts payloads below 8,000 bytes, and a character may take several. */
const MAX_EXECUTIONS_CHARS = 1_500;
const MAX_QUEUES_CHARS = 500;

type Packed = readonly [tenantId: string, id: string, seq: number, began: 0 | 1, ended: 0 | 1, owner: string | null];

/** The payload of one notification. */
export interface Payload {
  /** The sending process, which ignores its own notifications. */
  readonly from: string;
  readonly executions: readonly Packed[];
  readonly due: number | null;
  readonly queues: readonly (readonly [tenantId: string, queue: string])[];
  readonly inbox: boolean;
  readonly control: readonly (readonly [tenantId: string, type: string])[];
  /** Some notifications were lost. */
  readonly gap?: true;
}

/** Subscribers must read again what they wait for. */
export const GAP: StoreNotification = {
  executions: [],
  dueAtMs: null,
  queues: [],
  inbox: false,
  control: [],
  gap: true,
  commitsLost: false,
};

/** Null = sent by `self`. Any client of the database may notify, and other releases may use another format: a payload that is not understood is a gap. */
export function parsePayload(text: string, self: string): StoreNotification | null {
  try {
    const payload = JSON.parse(text) as Payload;
    return payload.from === self ? null : notificationOf(payload);
  } catch {
    return GAP;
  }
}

function notificationOf({ executions, due, queues, inbox, control, gap }: Payload): StoreNotification {
  return {
    executions: executions.map(
      ([tenantId, id, seq, began, ended, owner]): CommittedExecution => ({
        tenantId,
        id,
        seq,
        started: began === 1,
        ended: ended === 1,
        owner,
      }),
    ),
    dueAtMs: due,
    queues: queues.map(([tenantId, queue]) => ({ tenantId, queue })),
    inbox,
    control: control.map(([tenantId, type]) => ({ tenantId, type })),
    gap: gap === true,
    commitsLost: false,
  };
}

/** The payload for an action on the control plane. */
export function controlPayload(from: string, { tenantId, type }: ControlChange): string {
  const payload: Payload = { from, executions: [], due: null, queues: [], inbox: false, control: [[tenantId, type]] };
  return JSON.stringify(payload);
}

export interface NotifiedWrite
  extends Pick<ExecutionWrite, 'tenantId' | 'id' | 'create' | 'progress' | 'timers' | 'work' | 'send'> {
  readonly revive?: ExecutionWrite['revive'] | undefined;
}

/** Collects the notifications of several commits: of each execution the last state. */
export class PendingNotifications {
  readonly #executions = new Map<string, Packed>();
  /** Earlier states, of executions that ended and were continued. */
  readonly #earlier: Packed[] = [];
  readonly #queues = new Map<string, readonly [tenantId: string, queue: string]>();
  #due = Number.POSITIVE_INFINITY;
  #inbox = false;

  add(writes: readonly NotifiedWrite[]): void {
    for (const { tenantId, id, create, revive, progress, timers, work, send } of writes) {
      const began = create !== null || revive !== undefined;
      const before = this.#executions.get(id);
      if (before !== undefined && before[4] === 1) this.#earlier.push(before);
      const wasBegun = before !== undefined && before[3] === 1 && before[4] === 0;
      this.#executions.set(id, [
        tenantId,
        id,
        progress.seq,
        began || wasBegun ? 1 : 0,
        progress.completedAtMs === null ? 0 : 1,
        progress.owner,
      ]);
      this.#dueAt(create?.deadlineAtMs ?? null);
      this.#dueAt(revive?.deadlineAtMs ?? null);
      for (const timer of timers) if (timer.op === 'set') this.#dueAt(timer.atMs);
      for (const each of work)
        if (each.op === 'put') this.#queues.set(`${tenantId}\n${each.item.queue}`, [tenantId, each.item.queue]);
      if (send.length > 0) this.#inbox = true;
    }
  }

  #dueAt(atMs: number | null): void {
    if (atMs !== null && atMs < this.#due) this.#due = atMs;
  }

  /** Each small enough for a notification. */
  payloads(from: string): readonly string[] {
    const due = this.#due === Number.POSITIVE_INFINITY ? null : this.#due;
    const queues = [...this.#queues.values()];
    const rest =
      JSON.stringify(queues).length > MAX_QUEUES_CHARS
        ? { due, queues: [], inbox: this.#inbox, control: [], gap: true as const }
        : { due, queues, inbox: this.#inbox, control: [] };
    return inChunks([...this.#earlier, ...this.#executions.values()]).map((executions, index) => {
      const more = index === 0 ? rest : { due: null, queues: [], inbox: false, control: [] };
      return JSON.stringify({ from, executions, ...more } satisfies Payload);
    });
  }
}

/** The payload for lost notifications. */
export function gapPayload(from: string): string {
  return JSON.stringify({ from, executions: [], due: null, queues: [], inbox: false, control: [], gap: true } satisfies Payload);
}

function inChunks(all: readonly Packed[]): readonly (readonly Packed[])[] {
  const pieces: Packed[][] = [[]];
  let chars = 0;
  for (const each of all) {
    const length = each[0].length + each[1].length + (each[5]?.length ?? 0) + 24;
    if (chars + length > MAX_EXECUTIONS_CHARS && chars > 0) {
      pieces.push([]);
      chars = 0;
    }
    pieces.at(-1)?.push(each);
    chars += length;
  }
  return pieces;
}
