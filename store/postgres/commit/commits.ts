import type { StreamDigest } from '../../audit/digest.ts';
import type { Batch, CommitRejection } from '../../port/commit.ts';
import { StoreError } from '../../port/errors.ts';
import type { Sql, Value } from '../connections.ts';
import { rejectionOf } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import type { NotificationSender } from '../notify/sender.ts';
import {
  ADD_TENANT_USAGE,
  CREATE_THREADS,
  DELETE_EMPTY_THREADS,
  EFFECTS,
  FREE_KEYS,
  LOCK_EXECUTIONS,
  LOCK_THREADS,
  OFFLOAD_ARTIFACT,
  REFUSE,
  RESERVE_KEYS,
} from '../queries/commit.ts';
import type { Transaction, Writer } from '../writer.ts';
import { approvalStatements } from './approvals.ts';
import { offloadedBy } from './artifacts.ts';
import {
  type BoundStatement,
  CALL_COMMIT_FUNCTION,
  COMMIT_UNITS,
  commitParameters,
  inCommitOrder,
  unitsParameter,
} from './commit-functions.ts';
import { addEffects, addIdempotency, type EffectRows, hasEffects, noEffects, usageRows } from './effects.ts';
import { type EncodedUnit, type EncodedWrite, encodeUnit } from './encoded-write.ts';
import { logStatements } from './entry-rows.ts';
import { executionStatements, type Key } from './execution-rows.ts';
import { keyStatements, reservations } from './keys.ts';
import { redactionStatements } from './redactions.ts';
import { threadsOf, turnStatements } from './threads.ts';

/** Why a unit was refused, and at which of the lists of `unitStatements`. */
type RefusedAt = readonly [reason: CommitRejection['reason'], place: number];

interface EncodedBatch extends Omit<Batch, 'units'> {
  readonly units: readonly EncodedUnit[];
}

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #writer: Writer;
  readonly #notifications: NotificationSender;
  readonly #key: Key;

  constructor(writer: Writer, notifications: NotificationSender, key: Key) {
    this.#key = key;
    this.#writer = writer;
    this.#notifications = notifications;
  }

  /** Tries the whole batch first, in one round trip. After a rejection, which is rare, commits unit by unit. */
  async commit(given: Batch): Promise<readonly (CommitRejection | null)[]> {
    if (given.units.length === 0) return [];
    const batch = { ...given, units: given.units.map(encodeUnit) };
    try {
      const rejections = await this.#apply(batch);
      if (batch.singleProcess !== true)
        this.#notifications.notify(batch.units.flatMap((unit, index) => (rejections[index] === null ? unit.executions : [])));
      return rejections;
    } catch (error) {
      // The commit may have taken place nevertheless.
      if (error instanceof StoreError && error.code === 'store_unavailable') this.#notifications.notifyGap();
      throw error;
    }
  }

  async #apply(batch: EncodedBatch): Promise<readonly (CommitRejection | null)[]> {
    const statements = batchStatements(batch, this.#key);
    if (statements !== null) {
      try {
        return await this.#allOrNothing(batch, statements);
      } catch (error) {
        if (rejectionOf(error instanceof Error && error.cause !== undefined ? error.cause : error) === null) throw error;
      }
    }
    return this.#unitByUnit(batch);
  }

  #allOrNothing({ atMs, units }: EncodedBatch, statements: readonly BoundStatement[]): Promise<readonly null[]> {
    const writes = units.flatMap((unit) => unit.executions);
    const sealed = { result: units.map(() => null), atMs, streams: streamsOf(writes) };
    const offloaded = offloadedBy(writes);
    const usage = usageStatement(writes);
    if (offloaded.length === 0)
      return this.#writer.writeInOneStatement(CALL_COMMIT_FUNCTION, commitParameters([...statements, ...usage]), sealed);
    return this.#writer.write((transaction) => {
      for (const { statement, values } of inCommitOrder(statements)) transaction.send(statement, values);
      sendLast(transaction, offloaded, usage);
      return sealed;
    });
  }

  /** Takes two round trips, however many units there are. */
  #unitByUnit({ atMs, units }: EncodedBatch): Promise<readonly (CommitRejection | null)[]> {
    const writes = units.flatMap((unit) => unit.executions);
    const parameter = unitsParameter(units.map((unit) => unitStatements(unit, atMs, this.#key)));
    const keys = reservations(writes);
    const threads = threadsOf(writes, atMs);
    return this.#writer.write(async (transaction) => {
      const sendRows = (statement: Sql, rows: readonly object[]): void => {
        if (rows.length > 0) transaction.send(statement, [jsonText(rows)]);
      };
      for (const { statement, values } of logStatements(writes).names) transaction.send(statement, values);
      sendRows(RESERVE_KEYS, keys);
      const created = transaction.query<{ readonly numbers: readonly number[] }>(CREATE_THREADS, [jsonText(threads.created)]);
      sendRows(LOCK_THREADS, threads.all);
      transaction.send(LOCK_EXECUTIONS, [writes.map(({ id }) => id)]);
      const answer = transaction.query<{ readonly refused: readonly (RefusedAt | null)[] }>(COMMIT_UNITS, [parameter]);
      const [[reserved], [answered]] = await Promise.all([created, answer]);
      sendRows(FREE_KEYS, keys);
      if (threads.created.length > 0) transaction.send(DELETE_EMPTY_THREADS, [reserved?.numbers ?? []]);
      const result = units.map((unit, index) => rejectionAt(unit, answered?.refused[index] ?? null));
      const committed = units.filter((_, index) => result[index] === null).flatMap((unit) => unit.executions);
      sendLast(transaction, offloadedBy(committed), usageStatement(committed));
      return { result, atMs, streams: streamsOf(committed) };
    });
  }
}

/** The effects of the batch; null when it cannot be committed in one statement: it steps an execution twice, or contradicts itself. */
function collectEffects({ units }: EncodedBatch): EffectRows | null {
  const effects = noEffects();
  const writes = units.flatMap((unit) => unit.executions);
  if (new Set(writes.map((write) => write.id)).size < writes.length) return null;
  const keys = new Set(
    units.flatMap(({ idempotency: row }) => (row === null ? [] : [`${row.tenantId}\n${row.scope}\n${row.key}`])),
  );
  if (keys.size < units.filter((unit) => unit.idempotency !== null).length) return null;
  for (const unit of units) {
    addIdempotency(effects, unit);
    for (const write of unit.executions) if (addEffects(effects, write) !== null) return null;
  }
  return effects;
}

/** What the batch writes but for artifacts and usage; null when it cannot be committed in one statement. */
function batchStatements(batch: EncodedBatch, key: Key): readonly BoundStatement[] | null {
  const writes = batch.units.flatMap((unit) => unit.executions);
  const effects = collectEffects(batch);
  const keys = keyStatements(writes);
  const turns = turnStatements(writes, batch.atMs);
  if (effects === null || keys === null || turns === null) return null;
  return [...executionStatements(writes, key), ...effectStatement(effects, batch.atMs), ...keys, ...turns, ...besides(writes)];
}

/** What each write of a unit writes, after the reply that the unit may have. */
function unitStatements(unit: EncodedUnit, atMs: number, key: Key): readonly (readonly BoundStatement[])[] {
  const remembered = noEffects();
  addIdempotency(remembered, unit);
  const written = unit.executions.map((write) => writeStatements([write], atMs, key));
  return unit.idempotency === null ? written : [effectStatement(remembered, atMs), ...written];
}

function writeStatements(writes: readonly [EncodedWrite], atMs: number, key: Key): readonly BoundStatement[] {
  const [write] = writes;
  const effects = noEffects();
  const contradiction = addEffects(effects, write);
  const keys = keyStatements(writes, true);
  const turns = turnStatements(writes, atMs);
  const rows = executionStatements(writes, key);
  if (contradiction === null && keys !== null && turns !== null)
    return [...rows, ...effectStatement(effects, atMs), ...keys, ...turns, ...besides(writes)];
  return [...rows, { statement: REFUSE, values: [contradiction ?? (keys === null ? 'key' : 'thread')] }];
}

/** What refuses nothing. */
function besides(writes: readonly EncodedWrite[]): readonly BoundStatement[] {
  return [...approvalStatements(writes), ...redactionStatements(writes)];
}

/** `refused`: by `COMMIT_UNITS`. */
function rejectionAt({ executions, idempotency }: EncodedUnit, refused: RefusedAt | null): CommitRejection | null {
  if (refused === null) return null;
  const [reason, place] = refused;
  const write = executions[idempotency === null ? place : place - 1];
  return { reason, executionId: write?.id ?? null };
}

/** Artifacts, each as a parameter of its own, and usage, whose rows other transactions wait for until the commit. */
function sendLast(transaction: Transaction, offloaded: readonly (readonly Value[])[], usage: readonly BoundStatement[]): void {
  for (const values of offloaded) transaction.send(OFFLOAD_ARTIFACT, values);
  for (const { statement, values } of usage) transaction.send(statement, values);
}

function usageStatement(writes: readonly EncodedWrite[]): readonly BoundStatement[] {
  const usage = usageRows(writes);
  return usage.length === 0 ? [] : [{ statement: ADD_TENANT_USAGE, values: [jsonText(usage)] }];
}

function effectStatement(rows: EffectRows, atMs: number): readonly BoundStatement[] {
  if (!hasEffects(rows)) return [];
  const { fired, rearmed, cleared, armed, settled, held, cancelled, put, sent, consumed, remembered } = rows;
  const json = (each: readonly object[]): string => jsonText(each);
  const values = [
    ...[fired, rearmed, cleared, armed, settled].map(json),
    atMs,
    ...[cancelled, put, sent].map(json),
    consumed,
    json(remembered),
    json(held),
  ];
  return [{ statement: EFFECTS, values }];
}

function streamsOf(writes: readonly EncodedWrite[]): readonly StreamDigest[] {
  return writes.flatMap(({ stream }) => (stream === null ? [] : [stream]));
}
