import { Journal, type JournalPart, MAX_COMMITTED_OPERATIONS } from '../../machines/journal.ts';
import type { OperationEntry, Visit } from '../../machines/messages.ts';
import { MAX_POINTER_KEYS, pointerKeysOf } from '../../machines/snapshot-change.ts';
import type { CommitOperations } from '../api/operations/journal-operations.ts';
import type { WorkItem } from '../api/operations/work-items.ts';
import { ApiError, type JamjetClient } from '../client/index.ts';
import type { LiveFunctions } from '../executors/durable/live-functions.ts';
import { WorkError } from '../executors/executor.ts';
import type { JournalAccess, JournalView, LiveFunction } from '../executors/journal-access.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Lease } from './lease.ts';
import { isLostLease, isTransient } from './server-errors.ts';

/** How long one request waits for something that others have changed. */
const WAIT_MS = 30_000;
/** Waits are asked for once the function has committed nothing for this long: what it commits is answered with what has come. */
const QUIET_MS = 1_000;
/** The most that a request may hold, less what is around its operations. */
const MAX_REQUEST_BYTES = 2 * 1024 * 1024 - 16 * 1024;
/** Operations in one request, unless a single one is larger. */
const MAX_BATCH_BYTES = 512 * 1024;

export interface RemoteJournalOptions {
  readonly client: JamjetClient;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly item: WorkItem;
  readonly workerId: string;
  readonly live: LiveFunctions;
}

type Operation = NonNullable<CommitOperations['operations']>[number];
type Request = Pick<CommitOperations, 'operations' | 'parked_after' | 'wait_ms'>;
type Reply = NonNullable<WorkItem['journal']>;

/** The journal of a durable function on the server, under the lease of its work item. */
export class RemoteJournal implements JournalAccess {
  readonly clock: Clock;
  readonly #options: RemoteJournalOptions;
  readonly #visit: Visit;
  #view: JournalView = { journal: Journal.begun({}), seq: 0, isSuspended: false, isParked: false };
  #onChange: ((view: JournalView) => void) | null = null;
  #wait: AbortController | null = null;
  #cancelWait: () => void = () => {};
  #kept: LiveFunction | null = null;
  #isOver = false;

  private constructor(options: RemoteJournalOptions) {
    this.#options = options;
    this.clock = options.clock;
    const { node_id: node, activation, attempt } = options.item;
    this.#visit = { node, activation, attempt };
  }

  /** The journal of a claimed item; reads what the claim had no room for. Rejects with `WorkError`. */
  static async opened(options: RemoteJournalOptions, claimed: Reply): Promise<RemoteJournal> {
    const journal = new RemoteJournal(options);
    journal.#take(claimed);
    if (claimed.partial) await journal.#request({});
    return journal;
  }

  get view(): JournalView {
    return this.#view;
  }

  async append(entries: readonly OperationEntry[], parkedAfter?: number): Promise<JournalView> {
    this.#stopWaiting();
    const batches = batchesOf(entries.map(sendable));
    for (const [index, operations] of batches.entries()) {
      const parks = index === batches.length - 1 && parkedAfter !== undefined;
      await this.#request({ operations, ...(parks ? { parked_after: parkedAfter } : {}) });
    }
    if (this.#view.isParked) this.#isOver = true;
    else this.#waitSoon();
    return this.#view;
  }

  onChange(listener: (view: JournalView) => void): void {
    this.#onChange = listener;
    this.#waitSoon();
  }

  keep(live: LiveFunction): void {
    this.#kept = live;
    this.#options.live.keep(this.#options.item.execution_id, this.#visit, live);
  }

  drop(live: LiveFunction): void {
    this.#kept = null;
    this.#options.live.drop(this.#options.item.execution_id, this.#visit, live);
  }

  take(): LiveFunction | null {
    return this.#options.live.take(this.#options.item.execution_id, this.#visit);
  }

  /** The attempt has ended. Unless it is parked, the function does not go on. */
  close(isParked: boolean): void {
    this.#isOver = true;
    this.#stopWaiting();
    if (!isParked && this.#kept !== null) this.drop(this.#kept);
  }

  /** Sends a request until it is answered, and asks for the rest of a long answer. */
  async #request(given: Request, signal?: AbortSignal): Promise<void> {
    const { client, lease, item, workerId } = this.#options;
    let request = given;
    for (let failures = 1; ; ) {
      if (this.#isOver || lease.lost !== null) throw new WorkError('the attempt is over', { retryable: true });
      const { journal, seq: sequence } = this.#view;
      const known = { operations: journal.size, results: journal.settled, sequence };
      const body = { lease_fence: item.lease_fence, worker_id: workerId, known, ...request };
      try {
        const reply = await client.commitOperations(item.id, body, signal === undefined ? {} : { signal });
        this.#take(reply.journal);
        if (!reply.journal.partial) return;
        request = {};
        failures = 1;
      } catch (error) {
        if (signal?.aborted === true) throw error;
        this.#check(error);
        await lease.pause(failures);
        failures += 1;
      }
    }
  }

  /** Throws unless the request may be repeated. */
  #check(error: unknown): void {
    const { lease } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    if (isTransient(error)) lease.loseIfExpired(`what the function does could not be committed in time: ${reason}`);
    else if (isLostLease(error) && !(error instanceof ApiError && error.code === 'conflict')) lease.lose(reason);
    else throw new WorkError(`the server refused what the function does: ${reason}`, { retryable: false, cause: error });
  }

  #take({ sequence: seq, paused: isSuspended, parked: isParked, operations, results }: Reply): void {
    // A later answer has come before.
    if (seq < this.#view.seq) return;
    const journal = this.#view.journal.withPart({ operations, results: results.map(partResult) } as unknown as JournalPart);
    this.#view = { journal, seq, isSuspended, isParked };
    // The item is settled: that its lease is gone means nothing.
    if (isParked) this.#options.lease.end();
  }

  /** While the function works or waits, it is told of what comes from elsewhere. */
  #waitSoon(): void {
    this.#stopWaiting();
    if (this.#isOver) return;
    this.#cancelWait = this.clock.after(QUIET_MS, () => {
      this.#wait = new AbortController();
      void this.#waitForChanges(this.#wait.signal);
    });
  }

  #stopWaiting(): void {
    this.#cancelWait();
    this.#wait?.abort();
    this.#wait = null;
  }

  async #waitForChanges(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && !this.#isOver) {
        await this.#request({ wait_ms: WAIT_MS }, signal);
        if (!signal.aborted) this.#onChange?.(this.#view);
      }
    } catch (error) {
      // A lost lease has ended the attempt; anything else is met again by what the function commits.
      if (!signal.aborted && !this.#isOver && !(error instanceof WorkError)) throw error;
    }
  }
}

function partResult({ handled, ...result }: Reply['results'][number]): object {
  return handled === true ? { ...result, isHandled: true } : result;
}

/** In the form of the API. */
interface Sendable {
  readonly operation: Operation;
  readonly bytes: number;
  readonly pointerKeys: number;
}

/** A result that no request can hold is the failure of its step. */
function sendable(entry: OperationEntry): Sendable {
  const operation = Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  ) as Operation;
  const bytes = Buffer.byteLength(JSON.stringify(operation));
  const pointerKeys = entry.type === 'transition' && entry.snapshot !== undefined ? pointerKeysOf(entry.snapshot) : 0;
  if (bytes <= MAX_REQUEST_BYTES || entry.type !== 'complete') return { operation, bytes, pointerKeys };
  const { operation: number, attempt } = entry;
  const error = `the result is larger than the 2 MiB that a worker may send: store it elsewhere, and return where it is`;
  return { operation: { type: 'fail', operation: number, attempt, error, error_class: 'validation' }, bytes: 0, pointerKeys };
}

/** At least one, which may be empty. */
function batchesOf(operations: readonly Sendable[]): readonly Operation[][] {
  const batches: Operation[][] = [[]];
  let [size, keys] = [0, 0];
  for (const { operation, bytes, pointerKeys } of operations) {
    const last = batches.at(-1) as Operation[];
    size += bytes;
    keys += pointerKeys;
    const isFull = size > MAX_BATCH_BYTES || keys > MAX_POINTER_KEYS || last.length >= MAX_COMMITTED_OPERATIONS;
    if (isFull && last.length > 0) {
      batches.push([operation]);
      [size, keys] = [bytes, pointerKeys];
    } else last.push(operation);
  }
  return batches;
}
