import { outlineEntry } from '../../log/decode.ts';
import type { EventContext } from '../../log/entry.ts';
import { typeTokens } from '../../log/type-tokens.ts';
import type { Cell, CopiedRows, CopiedTable } from '../../port/copy.ts';
import { type Actor, actorKey } from '../commit/entry-rows.ts';

const ENTRIES = 'log_entries';
/** Columns of the source's entries that are those of an actor here. */
const ACTOR_COLUMNS: readonly string[] = ['actor_id', 'actor_type', 'on_behalf_of'];
const ACTORS: CopiedTable = { name: 'log_actors', columns: ['number', 'tenant_id', 'key', 'id', 'type', 'on_behalf_of'] };
/** The actor of a damaged entry, which names none: verification does not find it. */
const NO_ACTOR = 0;

/**
 * Turns the entries of another database into rows of this one. There, they name their actors; here, each tenant has a list of actors, and entries refer to
 * it by number. The types of their events are added.
 */
export class CopiedLog {
  readonly #numbers = new Map<string, number>();

  /** The tables that are filled with what the source offers. */
  tables(offered: readonly CopiedTable[]): readonly CopiedTable[] {
    return offered.flatMap((table) => (table.name === ENTRIES ? [ACTORS, entriesOf(table)] : [table]));
  }

  rows(batch: CopiedRows): readonly CopiedRows[] {
    if (batch.table.name !== ENTRIES) return [batch];
    const actors: Cell[][] = [];
    const entries = batch.rows.map((row) => this.#entryRow(cellsOf(batch.table, row), batch.table, actors));
    const filled = { table: entriesOf(batch.table), rows: entries };
    return actors.length === 0 ? [filled] : [{ table: ACTORS, rows: actors }, filled];
  }

  #entryRow(cells: ReadonlyMap<string, Cell>, table: CopiedTable, actors: Cell[][]): readonly Cell[] {
    const [seq, events, body] = [Number(cells.get('seq')), Number(cells.get('events')), String(cells.get('body'))];
    const types = typeTokens(outlineEntry({ seq, events, body }));
    const made = new Map<string, Cell>([...cells, ['actor', this.#actor(cells, actors)], ['types', types]]);
    return entriesOf(table).columns.map((column) => made.get(column) ?? null);
  }

  #actor(cells: ReadonlyMap<string, Cell>, actors: Cell[][]): number {
    const [tenantId, id, type, onBehalfOf] = ['tenant_id', ...ACTOR_COLUMNS].map((column) => cells.get(column) ?? null);
    if (typeof id !== 'string' || typeof type !== 'string') return NO_ACTOR;
    const actor: Actor = {
      actorId: id,
      actorType: type as EventContext['actorType'],
      onBehalfOf: onBehalfOf === undefined || onBehalfOf === null ? null : String(onBehalfOf),
    };
    const key = actorKey(actor);
    const name = `${key} ${tenantId}`;
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = (this.#numbers.size + 1) * (type === 'agent' ? -1 : 1);
    this.#numbers.set(name, number);
    actors.push([number, tenantId ?? '', key, id, type, actor.onBehalfOf]);
    return number;
  }
}

function entriesOf({ name, columns }: CopiedTable): CopiedTable {
  return { name, columns: [...columns.filter((column) => !ACTOR_COLUMNS.includes(column)), 'actor', 'types'] };
}

function cellsOf(table: CopiedTable, row: readonly Cell[]): ReadonlyMap<string, Cell> {
  return new Map(table.columns.map((column, at) => [column, row[at] ?? null]));
}
