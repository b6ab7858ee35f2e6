import type { StreamDigest } from '../../audit/digest.ts';
import type { Batch, CommitRejection } from '../../port/commit.ts';
import { StoreError } from '../../port/errors.ts';
import { sql } from '../connections.ts';
import { rejectionOf } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import type { NotificationSender } from '../notify/sender.ts';
import { ADD_TENANT_USAGE, EFFECTS, LOCK_EXECUTIONS, OFFLOAD_ARTIFACT } from '../queries/commit.ts';
import type { Transaction, Writer } from '../writer.ts';
import { approvalStatements } from './approvals.ts';
import { offloadedBy } from './artifacts.ts';
import { type BoundStatement, CALL_COMMIT_FUNCTION, commitParameters } from './commit-function.ts';
import { addEffects, addIdempotency, type EffectRows, hasEffects, noEffects, usageRows } from './effects.ts';
import { type EncodedUnit, type EncodedWrite, encodeUnit } from './encoded-write.ts';
import { logStatements } from './entry-rows.ts';
import { executionStatements } from './execution-rows.ts';
import { keysOf, writeKeys } from './keys.ts';
import { redactionStatements } from './redactions.ts';
import { appendTurns, turnsOf } from './threads.ts';

const SAVEPOINT = sql('SAVEPOINT unit');
const RELEASE = sql('RELEASE unit');
const UNDO = sql('ROLLBACK TO unit');

/** Rolls a batch back that has to be committed unit by unit. */
class UnitRejected extends Error {}

interface EncodedBatch extends Omit<Batch, 'units'> {
  readonly units: readonly EncodedUnit[];
}

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #writer: Writer;
  readonly #notifications: NotificationSender;
  readonly #key: string | Uint8Array | null;

  constructor(writer: Writer, notifications: NotificationSender, key: string | Uint8Array | null) {
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
    const effects = collectEffects(batch);
    if (effects !== null) {
      try {
        return await this.#allOrNothing(batch, effects);
      } catch (error) {
        if (error instanceof UnitRejected) return this.#unitByUnit(batch);
        if (rejectionOf(error instanceof Error && error.cause !== undefined ? error.cause : error) === null) throw error;
      }
    }
    return this.#unitByUnit(batch);
  }

  #allOrNothing({ atMs, units }: EncodedBatch, effects: EffectRows): Promise<readonly null[]> {
    const writes = units.flatMap((unit) => unit.executions);
    const streams = streamsOf(writes);
    const sealed = { result: units.map(() => null), atMs, streams };
    const statements = [...executionStatements(writes, this.#key), ...effectStatement(effects, atMs)];
    const offloaded = offloadedBy(writes);
    const others = [...approvalStatements(writes), ...redactionStatements(writes)];
    const usage = usageStatement(writes);
    const turns = turnsOf(writes);
    const keys = keysOf(writes);
    const mayReject = turns.length > 0 || keys.length > 0;
    if (offloaded.length === 0 && others.length === 0 && !mayReject)
      return this.#writer.writeInOneStatement(CALL_COMMIT_FUNCTION, commitParameters([...statements, ...usage]), sealed);
    return this.#writer.write(async (transaction) => {
      if (mayReject) {
        // What rejects the batch has to be known before anything else fails for it.
        await Promise.all(statements.map(({ statement, values }) => transaction.query(statement, values)));
        const isWritten = (await writeKeys(transaction, keys)) === null && (await appendTurns(transaction, turns, atMs));
        if (!isWritten) throw new UnitRejected();
      } else for (const { statement, values } of statements) transaction.send(statement, values);
      for (const values of offloaded) transaction.send(OFFLOAD_ARTIFACT, values);
      for (const { statement, values } of [...others, ...usage]) transaction.send(statement, values);
      return sealed;
    });
  }

  #unitByUnit(batch: EncodedBatch): Promise<readonly (CommitRejection | null)[]> {
    return this.#writer.write(async (transaction) => {
      const streams: StreamDigest[] = [];
      const result: (CommitRejection | null)[] = [];
      const { names } = logStatements(batch.units.flatMap((unit) => unit.executions));
      for (const { statement, values } of names) transaction.send(statement, values);
      transaction.send(LOCK_EXECUTIONS, [batch.units.flatMap((unit) => unit.executions.map(({ id }) => id))]);
      for (const unit of batch.units) {
        await transaction.query(SAVEPOINT);
        const rejection = await applyUnit(transaction, unit, batch.atMs, this.#key);
        if (rejection === null) streams.push(...streamsOf(unit.executions));
        else await transaction.query(UNDO);
        await transaction.query(RELEASE);
        result.push(rejection);
      }
      return { result, atMs: batch.atMs, streams };
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

async function applyUnit(
  transaction: Transaction,
  unit: EncodedUnit,
  atMs: number,
  key: string | Uint8Array | null,
): Promise<CommitRejection | null> {
  const remembered = noEffects();
  addIdempotency(remembered, unit);
  if ((await rejectionFrom(transaction, effectStatement(remembered, atMs))) !== null)
    return { reason: 'idempotency', executionId: null };
  for (const write of unit.executions) {
    const effects = noEffects();
    const contradiction = addEffects(effects, write);
    const reason =
      (await rejectionFrom(transaction, executionStatements([write], key))) ??
      contradiction ??
      (await rejectionFrom(transaction, effectStatement(effects, atMs)));
    if (reason !== null) return { reason, executionId: write.id };
  }
  const refused = await writeKeys(transaction, keysOf(unit.executions));
  if (refused !== null) return { reason: 'key', executionId: refused };
  for (const turn of turnsOf(unit.executions))
    if (!(await appendTurns(transaction, [turn], atMs))) return { reason: 'thread', executionId: turn.executionId };
  for (const values of offloadedBy(unit.executions)) transaction.send(OFFLOAD_ARTIFACT, values);
  const others = [
    ...approvalStatements(unit.executions),
    ...redactionStatements(unit.executions),
    ...usageStatement(unit.executions),
  ];
  for (const { statement, values } of others) transaction.send(statement, values);
  return null;
}

/** Comes last, because other transactions wait for these rows until the commit. */
function usageStatement(writes: readonly EncodedWrite[]): readonly BoundStatement[] {
  const usage = usageRows(writes);
  return usage.length === 0 ? [] : [{ statement: ADD_TENANT_USAGE, values: [jsonText(usage)] }];
}

/** Executes the statements in order, up to the first that is rejected. */
async function rejectionFrom(
  transaction: Transaction,
  statements: readonly BoundStatement[],
): Promise<CommitRejection['reason'] | null> {
  try {
    for (const { statement, values } of statements) await transaction.query(statement, values);
    return null;
  } catch (error) {
    const reason = rejectionOf(error);
    if (reason === null) throw error;
    return reason as CommitRejection['reason'];
  }
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
