import type { Message } from '../../../machines/messages.ts';
import { ColdResults } from '../../../machines/redaction/cold-results.ts';
import { ChurnMap } from '../../../store/churn-map.ts';
import type { CommitRejection, CommitUnit } from '../../../store/port/commit.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import type { RuntimeContext } from '../context.ts';
import { RuntimeError } from '../errors.ts';
import type { BatchCommitted } from '../events.ts';
import type { Placement } from '../placement.ts';
import { MAX_COLD_PASSES, redactMissing } from '../redaction/in-slices.ts';
import { type CommitResult, commitBisecting } from './commit/commit-bisecting.ts';
import type { CommitGate } from './commit/commit-gate.ts';
import {
  type Envelope,
  type ExecutionStart,
  isOfAnother,
  type MessageOptions,
  type MessageOutcome,
  UNKNOWN,
} from './envelope.ts';
import type { CachedExecution } from './loading/cached-execution.ts';
import type { CorruptExecutions } from './loading/corrupt-executions.ts';
import type { ExecutionCache } from './loading/execution-cache.ts';
import type { ExecutionLoader } from './loading/execution-loader.ts';
import { Mailbox } from './mailbox.ts';
import { ReadyQueue } from './ready-queue.ts';
import { type StepBatch, type StepBatchDeps, stepMailbox } from './step-mailbox.ts';
import type { SlotReservation } from './step-message.ts';

/** At most so many messages of one execution, and so many executions, share a commit. */
const MAX_MESSAGES_PER_EXECUTION = 64;
const MAX_EXECUTIONS_PER_BATCH = 512;
/**
 * After so much stepping the rest waits for the next turn of the event loop: a step of a very wide fan-out takes milliseconds.
 */
const MAX_STEPPING_MS = 20;
/** After so much, the commit waits for the next turn, too. */
const LONG_STEPPING_MS = 10;
/** The most that is written at once: SQLite holds the thread meanwhile. A row takes as long as this many bytes of events. */
const MAX_WRITTEN_BYTES_PER_BATCH = 64 * 1024;
const ROW_BYTES = 256;
/** Stepping for a millisecond counts like writing as many bytes. */
const BYTES_PER_STEPPING_MS = MAX_WRITTEN_BYTES_PER_BATCH / MAX_STEPPING_MS;
/** Code units of what redacted events were before. */
const LARGE_ORIGINALS = 262_144;
/** How often a step is retried because the stored execution had moved on. */
const MAX_CONFLICTS = 8;

export interface EngineOptions
  extends Pick<RuntimeContext, 'store' | 'clock' | 'slices' | 'events' | 'onError'>,
    Omit<StepBatchDeps, 'ownerAfter'> {
  readonly cache: ExecutionCache;
  readonly loader: ExecutionLoader;
  readonly corrupt: CorruptExecutions;
  readonly gate: CommitGate;
  readonly placement: Placement;
  /** Reserves slots for the in-process work that a batch starts. */
  readonly reservations: { reserve(): SlotReservation };
}

interface SteppedMailbox {
  readonly mailbox: Mailbox;
  readonly batch: StepBatch;
}

/**
 * The only loop: message → mailbox of its execution → load → step → batch → commit → reply → `committed` events. Everything that
 * is ready in one turn of the event loop shares one transaction, and replies wait for it. When more is ready than a batch holds,
 * tenants take turns, and urgent messages go first.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #stepDeps: StepBatchDeps;
  readonly #mailboxes = new ChurnMap<string, Mailbox>();
  /** A tenant that has filled a batch lets the others have the next one. */
  readonly #ready = new ReadyQueue<Mailbox>(MAX_WRITTEN_BYTES_PER_BATCH);
  /** For the steps of all mailboxes that do not redact texts first. */
  #cold = new ColdResults();
  #scheduled = false;
  #pending = 0;
  #cacheHits = 0;
  #cacheMisses = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
    // New shape: once for each runtime.
    this.#stepDeps = { ...options, ownerAfter: (id, owner) => options.placement.ownerAfter(id, owner) };
    options.gate.onOpened(() => this.#scheduleBatch());
  }

  /** How many messages wait for their commit. */
  get pending(): number {
    return this.#pending;
  }

  /** How often an execution that got a message was in memory, and how often it had to be loaded. */
  get cacheUse(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#cacheHits, misses: this.#cacheMisses };
  }

  /** Stores a new execution and takes its first step. */
  startExecution(start: ExecutionStart, options: MessageOptions): Promise<MessageOutcome> {
    return new Promise((resolve, reject) =>
      this.#enqueue(start.id, { start, message: null, child: null, options, resolve, reject }),
    );
  }

  /**
   * Delivers a message. Resolves after the commit of its step, or with why the message was rejected. `child` is created in the
   * same unit, if the step takes the message.
   */
  send(
    executionId: string,
    message: Message,
    options: MessageOptions,
    child: ExecutionStart | null = null,
  ): Promise<MessageOutcome> {
    return new Promise((resolve, reject) =>
      this.#enqueue(executionId, { start: null, message, child, options, resolve, reject }),
    );
  }

  /** Like `send`, without a promise: calls one of the functions. */
  post(
    executionId: string,
    message: Message,
    options: MessageOptions,
    resolve: (outcome: MessageOutcome) => void,
    reject: (error: unknown) => void,
  ): void {
    this.#enqueue(executionId, { start: null, message, child: null, options, resolve, reject });
  }

  /** Resolves when no message is pending. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #enqueue(id: string, envelope: Envelope): void {
    let mailbox = this.#mailboxes.get(id);
    if (mailbox === undefined) {
      mailbox = new Mailbox(id);
      this.#mailboxes.set(id, mailbox);
    }
    this.#pending += 1;
    mailbox.add(envelope);
    if (mailbox.state === 'idle') this.#scheduleMailbox(mailbox);
    else if (mailbox.state === 'ready' && mailbox.urgent) this.#ready.promote(mailbox.tenantId, mailbox);
  }

  /** Makes an idle mailbox with messages ready, and loads its execution first if it is not in memory. */
  #scheduleMailbox(mailbox: Mailbox): void {
    const first = mailbox.queue[0];
    mailbox.execution ??= this.#cached(mailbox.id);
    if (first === undefined) {
      mailbox.state = 'idle';
      this.#mailboxes.delete(mailbox.id);
    } else if (first.start !== null || mailbox.execution !== null) {
      mailbox.state = 'ready';
      this.#ready.push(mailbox.tenantId, mailbox);
      this.#scheduleBatch();
    } else {
      mailbox.state = 'loading';
      this.#load(mailbox).catch((error: unknown) => this.#failAll(mailbox, (envelope) => envelope.reject(error)));
    }
  }

  #cached(id: string): CachedExecution | null {
    const cached = this.#options.cache.get(id);
    if (cached === undefined) return null;
    this.#cacheHits += 1;
    return cached;
  }

  async #load(mailbox: Mailbox): Promise<void> {
    const { store, cache, loader } = this.#options;
    this.#cacheMisses += 1;
    if (store.shared) mailbox.enqueuedBeforeLoad = new Set(mailbox.queue);
    const row = await store.execution(mailbox.id);
    if (row === null) {
      this.#failAll(mailbox, (envelope) => envelope.resolve(UNKNOWN));
      return;
    }
    // Nothing is loaded for another tenant, which does not learn either that a log cannot be.
    if (this.#refuseOthers(mailbox, row)) return this.#scheduleMailbox(mailbox);
    // The mailbox keeps the execution for its messages, also when it is larger than the cache accepts.
    mailbox.execution = await loader.load(row);
    cache.set(mailbox.id, mailbox.execution);
    this.#scheduleMailbox(mailbox);
  }

  /** Whether no message is left. */
  #refuseOthers({ queue }: Mailbox, row: ExecutionRow): boolean {
    const others = queue.filter((envelope) => isOfAnother(envelope, row));
    if (others.length === 0) return false;
    queue.splice(0, queue.length, ...queue.filter((envelope) => !isOfAnother(envelope, row)));
    this.#countDone(others.length);
    for (const envelope of others) envelope.resolve(UNKNOWN);
    return queue.length === 0;
  }

  /** Memory is never ahead of the store: after a commit that was not applied, the execution is read again. */
  #evict(mailbox: Mailbox): void {
    mailbox.execution = null;
    this.#options.cache.delete(mailbox.id);
  }

  #failAll(mailbox: Mailbox, answer: (envelope: Envelope) => void): void {
    const envelopes = mailbox.queue.splice(0);
    this.#countDone(envelopes.length);
    for (const envelope of envelopes) answer(envelope);
    mailbox.state = 'idle';
    this.#scheduleMailbox(mailbox);
  }

  #countDone(count: number): void {
    this.#pending -= count;
    if (this.#pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #scheduleBatch(): void {
    const { gate, slices, onError } = this.#options;
    if (this.#scheduled || !gate.isOpen || this.#ready.size === 0) return;
    this.#scheduled = true;
    slices.goFirst(() => {
      this.#scheduled = false;
      if (gate.isOpen) this.#runBatch().catch(onError);
    });
  }

  /** Steps what is ready, commits it, and settles every message of the batch. */
  async #runBatch(): Promise<void> {
    const { clock, slices, reservations, events } = this.#options;
    const nowMs = clock.nowMs();
    const isTimed = events.has('stepped');
    const moment = { nowMs, reservation: reservations.reserve() };
    const isInTime = (): boolean => clock.nowMs() - nowMs < MAX_STEPPING_MS;
    const stepped: SteppedMailbox[] = [];
    const units: CommitUnit[] = [];
    let writtenBytes = 0;
    const mayGoOn = (): boolean => isInTime() && writtenBytes < MAX_WRITTEN_BYTES_PER_BATCH;
    while (stepped.length < MAX_EXECUTIONS_PER_BATCH && (stepped.length === 0 || mayGoOn())) {
      const mailbox = stepped.length === 0 ? this.#ready.take() : this.#ready.takeWithinShare();
      if (mailbox === null) break;
      mailbox.state = 'committing';
      const { tenantId } = mailbox;
      const limit = mailbox.oneByOne ? 1 : MAX_MESSAGES_PER_EXECUTION;
      const startedAt = isTimed ? performance.now() : 0;
      const startedMs = clock.nowMs();
      const cold = mailbox.cold ?? this.#cold;
      const step = (): StepBatch => stepMailbox(mailbox, limit, isInTime, moment, this.#stepDeps);
      const batch = mailbox.coldPasses < MAX_COLD_PASSES ? cold.collect(step) : step();
      if (mailbox.coldPasses < MAX_COLD_PASSES && !cold.isEmpty) {
        this.#redactFirst(mailbox, batch, cold);
        continue;
      }
      mailbox.cold = null;
      mailbox.coldPasses = 0;
      if (isTimed) events.emit('stepped', { messages: batch.envelopes.length, durationMs: performance.now() - startedAt });
      stepped.push({ mailbox, batch });
      const bytes = batch.logBytes + ROW_BYTES * rowsOf(batch.unit);
      writtenBytes += bytes;
      const cost = bytes + BYTES_PER_STEPPING_MS * Math.max(0, clock.nowMs() - startedMs);
      this.#ready.charge(tenantId, cost);
      slices.charge(tenantId, cost / BYTES_PER_STEPPING_MS);
      if (batch.unit !== null) units.push(batch.unit);
    }
    const isLong = clock.nowMs() - nowMs >= LONG_STEPPING_MS;
    if (units.length === 0) this.#settle(stepped, []);
    else
      await this.#options.gate.commit(async () => {
        // Stepping or redacting has taken a good part of what a turn of the event loop may take.
        if (isLong || units.some(hasLargeOriginals)) await new Promise<void>((resolve) => slices.goFirst(resolve));
        this.#settle(stepped, await this.#commit(units, nowMs));
      });
    // What starts with the commit has started by now, and occupies slots of its own.
    moment.reservation.release();
    this.#scheduleBatch();
  }

  /** Drops a batch that lacks texts which a data policy has to redact, and steps its messages again when they are. */
  #redactFirst(mailbox: Mailbox, { envelopes }: StepBatch, cold: ColdResults): void {
    if (cold === this.#cold) this.#cold = new ColdResults();
    mailbox.queue.unshift(...envelopes);
    mailbox.cold = cold;
    mailbox.coldPasses += 1;
    mailbox.state = 'loading';
    redactMissing(cold, this.#options.slices.slice(mailbox.tenantId)).then(
      () => this.#scheduleMailbox(mailbox),
      (error: unknown) => this.#failAll(mailbox, (envelope) => envelope.reject(error)),
    );
  }

  #commit(units: readonly CommitUnit[], atMs: number): Promise<readonly CommitResult[]> {
    const { store, placement, events } = this.#options;
    const commit = () => commitBisecting(units, (some) => store.commit({ atMs, units: some, singleProcess: placement.isAlone }));
    return events.has('batchCommitted') ? this.#timed(units, commit) : commit();
  }

  async #timed(units: readonly CommitUnit[], commit: () => Promise<readonly CommitResult[]>): Promise<readonly CommitResult[]> {
    const startedAt = performance.now();
    const results = await commit();
    this.#options.events.emit('batchCommitted', batchCommitted(units, results, performance.now() - startedAt));
    return results;
  }

  /** `results`: one for each batch that has a unit. */
  #settle(stepped: readonly SteppedMailbox[], results: readonly CommitResult[]): void {
    const { store, events } = this.#options;
    let next = 0;
    for (const { mailbox, batch } of stepped) {
      const result = batch.unit === null ? null : (results[next++] ?? null);
      if (result instanceof Error) this.#onFailed(mailbox, batch, result);
      else if (result !== null) this.#onRejected(mailbox, batch, result);
      else if (this.#isRejectedFromStaleCache(mailbox, batch)) this.#reloadAndRetry(mailbox, batch);
      else this.#onCommitted(mailbox, batch);
    }
    if (store.shared && results.some((result) => result instanceof Error)) events.emit('commitUncertain', null);
    if (results.some((result) => result instanceof StoreError)) events.emit('storeFailed', null);
  }

  /**
   * Was a message rejected from memory alone, though another runtime may have moved the execution on? A commit would have
   * detected that.
   */
  #isRejectedFromStaleCache({ execution, enqueuedBeforeLoad }: Mailbox, { unit, envelopes, outcomes }: StepBatch): boolean {
    if (!this.#options.store.shared || unit !== null || execution === null) return false;
    return envelopes.some((envelope, i) => {
      const outcome = outcomes[i];
      // An execution stays with its tenant.
      const mayBeStale = outcome !== undefined && 'refused' in outcome && outcome.refused !== 'unknown';
      return mayBeStale && !enqueuedBeforeLoad.has(envelope);
    });
  }

  #reloadAndRetry(mailbox: Mailbox, batch: StepBatch): void {
    this.#evict(mailbox);
    mailbox.queue.unshift(...batch.envelopes);
    mailbox.state = 'idle';
    this.#scheduleMailbox(mailbox);
  }

  #onCommitted(mailbox: Mailbox, { envelopes, outcomes, commits, corrupt }: StepBatch): void {
    for (const { after } of commits) this.#options.cache.set(after.id, after);
    mailbox.execution = commits[0]?.after ?? mailbox.execution;
    envelopes.forEach((envelope, i) => {
      const outcome = outcomes[i];
      if (outcome instanceof Error) envelope.reject(outcome);
      else if (outcome !== undefined) envelope.resolve(outcome);
    });
    for (const commit of commits) this.#options.events.emit('committed', commit);
    if (corrupt !== null) {
      this.#evict(mailbox);
      this.#options.corrupt.reportEnded(mailbox.id, corrupt);
    }
    this.#countDone(envelopes.length);
    mailbox.conflicts = 0;
    if (mailbox.queue.length === 0) mailbox.oneByOne = false;
    mailbox.state = 'idle';
    this.#scheduleMailbox(mailbox);
  }

  /** The store left the unit out: the stored execution has moved on, or a precondition does not hold. */
  #onRejected(mailbox: Mailbox, { envelopes }: StepBatch, rejection: CommitRejection): void {
    const [only] = envelopes;
    this.#evict(mailbox);
    if (rejection.reason === 'sequence' && ++mailbox.conflicts > MAX_CONFLICTS) {
      const message = `execution ${mailbox.id} changes too often: ${MAX_CONFLICTS} attempts to commit a step conflicted with other commits`;
      for (const envelope of envelopes) envelope.reject(new RuntimeError('overloaded', message, { retryAfterMs: 1000 }));
      this.#countDone(envelopes.length);
      mailbox.conflicts = 0;
    } else if (rejection.reason !== 'sequence' && envelopes.length === 1 && only !== undefined) {
      const { reason } = rejection;
      const isExplained = reason === 'idempotency' || reason === 'thread' || reason === 'key';
      only.resolve({ refused: isExplained ? reason : 'stale', nodes: [] });
      this.#countDone(1);
    } else {
      mailbox.oneByOne ||= rejection.reason !== 'sequence';
      mailbox.queue.unshift(...envelopes);
    }
    mailbox.state = 'idle';
    this.#scheduleMailbox(mailbox);
  }

  /**
   * Nothing was applied. The senders get the error, unless one of several messages may be at fault: then they are retried one by
   * one.
   */
  #onFailed(mailbox: Mailbox, { envelopes }: StepBatch, error: Error): void {
    this.#evict(mailbox);
    if (envelopes.length > 1 && !(error instanceof StoreError)) {
      mailbox.oneByOne = true;
      mailbox.queue.unshift(...envelopes);
    } else {
      for (const envelope of envelopes) envelope.reject(error);
      this.#countDone(envelopes.length);
    }
    mailbox.state = 'idle';
    this.#scheduleMailbox(mailbox);
  }
}

/** Beside the fixed number that each execution has. */
function rowsOf(unit: CommitUnit | null): number {
  let rows = 0;
  for (const { work, timers, send } of unit?.executions ?? []) rows += work.length + timers.length + send.length;
  return rows;
}

function hasLargeOriginals({ executions }: CommitUnit): boolean {
  let units = 0;
  for (const { redaction } of executions) for (const { data } of redaction?.originals ?? []) units += data.length;
  return units > LARGE_ORIGINALS;
}

function batchCommitted(units: readonly CommitUnit[], results: readonly CommitResult[], durationMs: number): BatchCommitted {
  let executions = 0;
  let events = 0;
  let rejected = 0;
  let failed = 0;
  for (const [i, unit] of units.entries()) {
    executions += unit.executions.length;
    for (const write of unit.executions) events += write.events.length;
    if (results[i] instanceof Error) failed += unit.executions.length;
    else if (results[i] !== null) rejected += unit.executions.length;
  }
  return { executions, events, durationMs, rejected, failed };
}
