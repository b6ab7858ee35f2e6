import { hash } from 'node:crypto';

/**
 * Values by the names of a statement's parameters: text, numbers, booleans, null, bytes and lists of texts. Names that the statement does not
 * mention are ignored. SQLite has neither booleans nor lists: they are bound as 0 or 1, and as JSON text.
 */
export type Values = object;

/** A statement for both engines. */
export interface Statement<Row> {
  readonly sqlite: { readonly text: string; readonly parameters: readonly string[] };
  /** `name` identifies the prepared statement on a connection; the parameters are in the order of `$1`, `$2` … */
  readonly postgres: { readonly name: string; readonly text: string; readonly parameters: readonly string[] };
  /** Converts a stored row; null = no conversion is needed. */
  readonly decode: ((stored: unknown) => Row) | null;
}

/** Fragments of SQL in which SQLite and PostgreSQL differ. */
export interface Dialect {
  readonly engine: 'sqlite' | 'postgres';
  /** Locks the selected rows until the transaction ends; SQLite has one writer at a time anyway. */
  readonly forUpdate: string;
  /** The same, skipping rows that another transaction has locked. */
  readonly skipLocked: string;
  /** The function that returns the larger of two values. */
  readonly greatest: string;
  /** A condition: in the list that is bound to the parameter. */
  in(parameter: string): string;
  /** A table expression: the list that is bound to the parameter, as `each` with the column `value`. */
  each(parameter: string): string;
  /** A hint for SQLite's planner. */
  indexedBy(index: string): string;
}

const SQLITE: Dialect = {
  engine: 'sqlite',
  forUpdate: '',
  skipLocked: '',
  greatest: 'max',
  in: (parameter) => `IN (SELECT value FROM json_each(@${parameter}))`,
  each: (parameter) => `json_each(@${parameter}) AS each`,
  indexedBy: (index) => `INDEXED BY ${index}`,
};

const POSTGRES: Dialect = {
  engine: 'postgres',
  forUpdate: 'FOR UPDATE',
  skipLocked: 'FOR UPDATE SKIP LOCKED',
  greatest: 'greatest',
  in: (parameter) => `= ANY(@${parameter}::text[])`,
  each: (parameter) => `unnest(@${parameter}::text[]) AS each (value)`,
  indexedBy: () => '',
};

const PARAMETER = /@(\w+)/g;

/**
 * A statement with named parameters (`@tenantId`), written once; a function where the engines differ. Columns are aliased to the fields of
 * `Row`, and `decode` turns what is stored into a row where that is not enough.
 */
export function sql<Row = unknown>(
  text: string | ((dialect: Dialect) => string),
  decode: ((stored: never) => Row) | null = null,
): Statement<Row> {
  const textFor = (dialect: Dialect): string => (typeof text === 'string' ? text : text(dialect));
  const [sqlite, postgres] = [textFor(SQLITE), textFor(POSTGRES)];
  const parameters = parametersOf(postgres);
  return {
    sqlite: { text: sqlite, parameters: parametersOf(sqlite) },
    postgres: {
      ...prepared(postgres.replace(PARAMETER, (_, name: string) => `$${parameters.indexOf(name) + 1}`)),
      parameters,
    },
    decode: decode as Statement<Row>['decode'],
  };
}

/** The rows of a statement's result. */
export function rowsOf<Row>({ decode }: Statement<Row>, stored: readonly unknown[]): readonly Row[] {
  return decode === null ? (stored as readonly Row[]) : stored.map(decode);
}

function parametersOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(PARAMETER)].map(([, name = '']) => name))];
}

/** The same text has the same name on every connection. */
export function prepared(text: string): { readonly name: string; readonly text: string } {
  return { name: `jamjet_${hash('sha256', text, 'hex').slice(0, 24)}`, text };
}
