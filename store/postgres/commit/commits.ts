import { digestWrite, type StreamDigest } from '../../digest.ts';
import { StoreError } from '../../errors.ts';
import { checkSequences } from '../../gapless.ts';
import { wellFormedWrite } from '../../well-formed.ts';
import type { Batch, ExecutionWrite, Refusal, Unit } from '../../writes.ts';
import type { Announcer } from '../announcer.ts';
import { sql } from '../connections.ts';
import { refusalOf } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { SPILL } from '../queries/artifacts.ts';
import { EFFECTS, HEADS, HOLD_HEADS } from '../queries/commit.ts';
import { ADD_TENANT_USAGE } from '../queries/tenants.ts';
import { spilledBy } from '../resources/artifacts.ts';
import { usageRows } from '../resources/tenants.ts';
import type { Transaction, Writer } from '../writer.ts';
import { COMMIT_AT_ONCE } from './at-once.ts';
import { addEffects, type EffectRows, hasEffects, noEffects, remember } from './effects.ts';
import { eventRows, headRow, labelRows } from './heads.ts';

const SAVEPOINT = sql('SAVEPOINT unit');
const RELEASE = sql('RELEASE unit');
const UNDO = sql('ROLLBACK TO unit');

/** Parameters of statements that are left out. */
const NOTHING = { heads: Array.from({ length: 3 }, () => null), effects: Array.from({ length: 11 }, () => null) };

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #writer: Writer;
  readonly #announcer: Announcer;

  constructor(writer: Writer, announcer: Announcer) {
    this.#writer = writer;
    this.#announcer = announcer;
  }

  /** First all at once, in one round trip; a refusal, which is rare, undoes that and goes unit by unit. */
  async commit(given: Batch): Promise<readonly (Refusal | null)[]> {
    if (given.units.length === 0) return [];
    const batch = { ...given, units: given.units.map(wellFormedUnit) };
    try {
      const refusals = await this.#apply(batch);
      if (batch.alone !== true)
        this.#announcer.announce(batch.units.flatMap((unit, index) => (refusals[index] === null ? unit.executions : [])));
      return refusals;
    } catch (error) {
      // It may have been carried out all the same.
      if (error instanceof StoreError && error.code === 'store_unavailable') this.#announcer.announceGap();
      throw error;
    }
  }

  async #apply(batch: Batch): Promise<readonly (Refusal | null)[]> {
    const rows = gather(batch);
    if (rows !== null) {
      try {
        return await this.#allOrNothing(batch, rows);
      } catch (error) {
        if (refusalOf(error instanceof Error && error.cause !== undefined ? error.cause : error) === null) throw error;
      }
    }
    return this.#unitByUnit(batch);
  }

  #allOrNothing(batch: Batch, { heads, events, labels, effects }: Rows): Promise<readonly null[]> {
    const streams = batch.units
      .flatMap((unit) => unit.executions)
      .filter((write) => write.events.length > 0)
      .map(digestWrite);
    const written = { result: batch.units.map(() => null), atMs: batch.atMs, streams };
    const headValues = heads.length > 0 ? [jsonText(heads), jsonText(events), jsonText(labels)] : null;
    const effected = hasEffects(effects) ? effectValues(effects, batch.atMs) : null;
    const writes = batch.units.flatMap((unit) => unit.executions);
    if (!writes.some(({ spilled = [] }) => spilled.length > 0)) {
      const usage = usageRows(writes);
      return this.#writer.writeAtOnce(
        COMMIT_AT_ONCE,
        [...(headValues ?? NOTHING.heads), ...(effected ?? NOTHING.effects), usage.length > 0 ? jsonText(usage) : null],
        written,
      );
    }
    return this.#writer.write((transaction) => {
      if (headValues !== null) transaction.send(HEADS, headValues);
      if (effected !== null) transaction.send(EFFECTS, effected);
      addBeside(transaction, writes);
      return written;
    });
  }

  #unitByUnit(batch: Batch): Promise<readonly (Refusal | null)[]> {
    return this.#writer.write(async (transaction) => {
      const streams: StreamDigest[] = [];
      const result: (Refusal | null)[] = [];
      transaction.send(HOLD_HEADS, [batch.units.flatMap((unit) => unit.executions.map(({ id }) => id))]);
      for (const unit of batch.units) {
        await transaction.query(SAVEPOINT);
        const refusal = await applyUnit(transaction, unit, batch.atMs);
        if (refusal === null) streams.push(...unit.executions.filter((write) => write.events.length > 0).map(digestWrite));
        else await transaction.query(UNDO);
        await transaction.query(RELEASE);
        result.push(refusal);
      }
      return { result, atMs: batch.atMs, streams };
    });
  }
}

interface Rows {
  readonly heads: readonly object[];
  readonly events: readonly object[];
  readonly labels: readonly object[];
  readonly effects: EffectRows;
}

/** Null when the batch cannot be carried out at once: it steps an execution twice, or contradicts itself. */
function gather({ units }: Batch): Rows | null {
  const effects = noEffects();
  const writes = units.flatMap((unit) => unit.executions);
  writes.forEach(checkSequences);
  if (new Set(writes.map((write) => write.id)).size < writes.length) return null;
  const keys = new Set(
    units.flatMap(({ idempotency: row }) => (row === null ? [] : [`${row.tenantId}\n${row.scope}\n${row.key}`])),
  );
  if (keys.size < units.filter((unit) => unit.idempotency !== null).length) return null;
  for (const unit of units) {
    remember(effects, unit);
    for (const write of unit.executions) if (addEffects(effects, write) !== null) return null;
  }
  // In the order of `HOLD_HEADS`.
  const heads = [...writes].sort((a, b) => (a.id < b.id ? -1 : 1)).map(headRow);
  return { heads, events: writes.flatMap(eventRows), labels: writes.flatMap(labelRows), effects };
}

async function applyUnit(transaction: Transaction, unit: Unit, atMs: number): Promise<Refusal | null> {
  const remembered = noEffects();
  remember(remembered, unit);
  if (hasEffects(remembered) && (await refusedBy(transaction.query(EFFECTS, effectValues(remembered, atMs)))) !== null)
    return { reason: 'idempotency', executionId: null };
  for (const write of unit.executions) {
    const effects = noEffects();
    const contradiction = addEffects(effects, write);
    const values = [jsonText([headRow(write)]), jsonText(eventRows(write)), jsonText(labelRows(write))];
    const reason =
      (await refusedBy(transaction.query(HEADS, values))) ??
      contradiction ??
      (hasEffects(effects) ? await refusedBy(transaction.query(EFFECTS, effectValues(effects, atMs))) : null);
    if (reason !== null) return { reason, executionId: write.id };
  }
  addBeside(transaction, unit.executions);
  return null;
}

/** What goes with the writes and refuses none. Usage comes last: others wait for its rows until the commit. */
function addBeside(transaction: Transaction, writes: readonly ExecutionWrite[]): void {
  for (const values of spilledBy(writes)) transaction.send(SPILL, values);
  const usage = usageRows(writes);
  if (usage.length > 0) transaction.send(ADD_TENANT_USAGE, [jsonText(usage)]);
}

async function refusedBy(answer: Promise<unknown>): Promise<Refusal['reason'] | null> {
  try {
    await answer;
    return null;
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === null) throw error;
    return reason as Refusal['reason'];
  }
}

function effectValues(rows: EffectRows, atMs: number) {
  const { fired, rearmed, cleared, armed, settled, cancelled, put, sent, consumed, remembered } = rows;
  const json = jsonText;
  return [
    json(fired),
    json(rearmed),
    json(cleared),
    json(armed),
    json(settled),
    atMs,
    json(cancelled),
    json(put),
    json(sent),
    consumed,
    json(remembered),
  ];
}

function wellFormedUnit(unit: Unit): Unit {
  return { ...unit, executions: unit.executions.map(wellFormedWrite) };
}
