import type { Statement, Values } from './statement.ts';

/** A statement with its values. */
export interface Query {
  readonly statement: Statement<unknown>;
  readonly values: Values;
}

export interface QueryResult {
  readonly rows: readonly unknown[];
  /** Rows inserted, updated or deleted. */
  readonly changed: number;
}

/**
 * The body of a transaction for both engines: a generator that yields queries and receives their results. SQLite runs it synchronously inside the
 * transaction, PostgreSQL asynchronously on one connection. Queries that are yielded together are sent together and run in order.
 */
export type Script<T> = Generator<readonly Query[], T, readonly QueryResult[]>;

export function* all<Row>(statement: Statement<Row>, values: Values = {}): Script<readonly Row[]> {
  const [result] = yield [{ statement, values }];
  return (result?.rows ?? []) as readonly Row[];
}

/** The first row; null = none. */
export function* get<Row>(statement: Statement<Row>, values: Values = {}): Script<Row | null> {
  return (yield* all(statement, values))[0] ?? null;
}

/** Returns the number of rows inserted, updated or deleted. */
export function* run(statement: Statement<unknown>, values: Values = {}): Script<number> {
  const [result] = yield [{ statement, values }];
  return result?.changed ?? 0;
}

/** Sends the queries together; they run in order. */
export function* runTogether(queries: readonly Query[]): Script<void> {
  if (queries.length > 0) yield queries;
}

/** The same statement for each of the values, in order. */
export function* runEach(statement: Statement<unknown>, values: readonly Values[]): Script<void> {
  yield* runTogether(values.map((each) => ({ statement, values: each })));
}
