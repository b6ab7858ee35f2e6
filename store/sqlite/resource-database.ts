import type { Database, Statement as PreparedStatement } from 'better-sqlite3';
import type { ActionContext } from '../port/control.ts';
import type { Action, ActionWithResult, ResourceDatabase, Statements } from '../resources/database.ts';
import type { Query, QueryResult, Script } from '../resources/script.ts';
import { rowsOf, type Statement, type Values } from '../resources/statement.ts';
import type { ControlLog } from './control-log.ts';
import { guarded } from './errors.ts';
import type { Transactions } from './transactions.ts';

/** Runs the scripts of resources on the connection of the store, synchronously. */
export class SqliteResources implements ResourceDatabase {
  readonly engine = 'sqlite';
  readonly #db: Database;
  readonly #transactions: Transactions;
  readonly #log: ControlLog;
  readonly #prepared = new Map<Statement<unknown>, PreparedStatement<[Values]>>();
  readonly runtime: ResourceDatabase['runtime'];

  constructor(db: Database, transactions: Transactions, log: ControlLog) {
    this.#db = db;
    this.#transactions = transactions;
    this.#log = log;
    const all: ResourceDatabase['runtime']['all'] = (statement, values = {}) => guarded(() => this.#rows(statement, values));
    this.runtime = {
      all,
      allWithoutTimeout: all,
      get: (statement, values = {}) => guarded(() => this.#rows(statement, values)[0] ?? null),
      run: (statement, values = {}) => guarded(() => this.#query({ statement, values }).changed),
    };
  }

  /** Statements name the tenant themselves. */
  tenant(): Statements {
    return this.runtime;
  }

  transaction<T>(script: () => Script<T>): Promise<T> {
    return guarded(() => this.#transactions.write(() => ({ commit: true, result: this.#run(script()) })));
  }

  act<T>(context: ActionContext, script: (seq: number) => Script<ActionWithResult<T>>): Promise<T>;
  act(context: ActionContext, script: (seq: number) => Script<Action>): Promise<void>;
  act(context: ActionContext, script: (seq: number) => Script<Action & { readonly result?: unknown }>): Promise<unknown> {
    return guarded(() => {
      let action: (Action & { readonly result?: unknown }) | undefined;
      this.#log.act(context, (seq) => {
        action = this.#run(script(seq));
        return action.event;
      });
      if (action === undefined) throw new Error('an action of the control plane was not carried out');
      return action.result;
    });
  }

  indexKey(text: string): string {
    return text;
  }

  /** Inside a transaction of the caller. */
  within<T>(script: Script<T>): T {
    return this.#run(script);
  }

  #run<T>(script: Script<T>): T {
    let step = script.next();
    while (step.done !== true) step = script.next(step.value.map((query) => this.#query(query)));
    return step.value;
  }

  #rows<Row>(statement: Statement<Row>, values: Values): readonly Row[] {
    return this.#query({ statement, values }).rows as readonly Row[];
  }

  #query({ statement, values }: Query): QueryResult {
    let prepared = this.#prepared.get(statement);
    if (prepared === undefined) {
      prepared = this.#db.prepare<[Values]>(statement.sqlite.text);
      this.#prepared.set(statement, prepared);
    }
    const bound = bind(statement, values);
    if (!prepared.reader) return { rows: [], changed: prepared.run(bound).changes };
    const rows = rowsOf(statement, prepared.all(bound));
    return { rows, changed: rows.length };
  }
}

/** The values themselves where SQLite takes them as they are; it ignores names that the statement does not mention. */
function bind({ sqlite: { parameters } }: Statement<unknown>, values: Values): Values {
  const given = values as Readonly<Record<string, unknown>>;
  if (!parameters.some((name) => isConverted(given[name]))) return values;
  return Object.fromEntries(parameters.map((name) => [name, converted(given[name])]));
}

function isConverted(value: unknown): boolean {
  return typeof value === 'boolean' || Array.isArray(value);
}

function converted(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  return Array.isArray(value) ? JSON.stringify(value) : value;
}
