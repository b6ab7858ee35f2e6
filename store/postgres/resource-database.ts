import type { ActionContext } from '../port/control.ts';
import type { Action, ActionWithResult, ResourceDatabase, Statements } from '../resources/database.ts';
import type { Query, QueryResult, Script } from '../resources/script.ts';
import { rowsOf, type Statement, type Values } from '../resources/statement.ts';
import type { Connections, Queries, Value } from './connections.ts';
import type { ControlLog } from './control-log.ts';
import { indexKey } from './index-key.ts';

/** Runs the scripts of resources on connections of the pool, and their actions on the connection that writes. */
export class PostgresResources implements ResourceDatabase {
  readonly engine = 'postgres';
  readonly #connections: Connections;
  readonly #log: ControlLog;
  readonly runtime: ResourceDatabase['runtime'];

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
    const query = (statement: Statement<unknown>, values: Values = {}) =>
      connections.execute(statement.postgres, bind(statement, values));
    this.runtime = {
      all: async (statement, values) => rowsOf(statement, (await query(statement, values)).rows),
      get: async (statement, values) => rowsOf(statement, (await query(statement, values)).rows)[0] ?? null,
      run: async (statement, values) => (await query(statement, values)).changed,
      allWithoutTimeout: async (statement, values = {}) =>
        rowsOf(statement, await connections.queryWithoutTimeout(statement.postgres, bind(statement, values))),
    };
  }

  tenant(tenantId: string): Statements {
    const rows = async <Row>(statement: Statement<Row>, values: Values = {}): Promise<readonly Row[]> =>
      rowsOf(statement, await this.#connections.asTenant(tenantId, statement.postgres, bind(statement, values)));
    return { all: rows, get: async (statement, values) => (await rows(statement, values))[0] ?? null };
  }

  transaction<T>(script: () => Script<T>): Promise<T> {
    return this.#connections.transaction((queries) => runScript(queries, script()));
  }

  act<T>(context: ActionContext, script: (seq: number) => Script<ActionWithResult<T>>): Promise<T>;
  act(context: ActionContext, script: (seq: number) => Script<Action>): Promise<void>;
  async act(context: ActionContext, script: (seq: number) => Script<Action & { readonly result?: unknown }>): Promise<unknown> {
    let action: (Action & { readonly result?: unknown }) | undefined;
    await this.#log.act(context, async (queries, seq) => {
      action = await runScript(queries, script(seq));
      return action.event;
    });
    if (action === undefined) throw new Error('an action of the control plane was not carried out');
    return action.result;
  }

  indexKey(text: string): string {
    return indexKey(text);
  }
}

/** Queries that the script yields together travel in one packet. */
export async function runScript<T>(queries: Queries, script: Script<T>): Promise<T> {
  let step = script.next();
  while (step.done !== true) step = script.next(await Promise.all(step.value.map((query) => runQuery(queries, query))));
  return step.value;
}

async function runQuery(queries: Queries, { statement, values }: Query): Promise<QueryResult> {
  const { rows, changed } = await queries.execute(statement.postgres, bind(statement, values));
  return { rows: rowsOf(statement, rows), changed };
}

function bind({ postgres: { parameters } }: Statement<unknown>, values: Values): readonly Value[] {
  return parameters.map((name) => {
    const value = (values as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) throw new Error(`no value for parameter @${name}`);
    return (value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value) as Value;
  });
}
