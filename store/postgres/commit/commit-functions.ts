import { hash } from 'node:crypto';
import { INDEX_ONLY_SETTINGS, type Sql, sql, type Value } from '../connections.ts';
import { EXPECTATION_FAILED } from '../errors.ts';
import {
  ADD_TENANT_USAGE,
  APPEND_ENTRIES,
  APPEND_TURNS,
  CREATE_THREADS,
  EFFECTS,
  FREE_KEYS,
  INSERT_ACTORS,
  INSERT_ERASURES,
  INSERT_EXECUTIONS,
  INSERT_LABELS,
  INSERT_ORIGINALS,
  INSERT_REVISIONS,
  PASS_KEYS,
  PUT_APPROVALS,
  REFUSE,
  REMOVE_APPROVALS,
  RETURN_KEYS,
  SEAL,
  TAKE_KEYS,
  UPDATE_EXECUTIONS,
  WRITE_CHECKPOINTS,
} from '../queries/commit.ts';
import { LOCK_TIMEOUT_MS, WRITER_LOCKS } from '../queries/positions.ts';

/** A statement with its parameters. */
export interface BoundStatement {
  readonly statement: Sql;
  readonly values: readonly Value[];
}

/** A statement of a commit, and the types of its parameters. It is skipped when its first parameter is null. */
interface Part {
  readonly statement: Sql;
  readonly types: readonly string[];
  /** Returns rows, for which PL/pgSQL needs a target. */
  readonly returnsRows: boolean;
}

const json = (count: number): readonly string[] => Array.from({ length: count }, () => 'json');
const silent = (statement: Sql, types = json(1)): Part => ({ statement, types, returnsRows: false });
const answering = (statement: Sql, types = json(1)): Part => ({ statement, types, returnsRows: true });

const HEADS = [answering(INSERT_EXECUTIONS), silent(INSERT_LABELS), answering(UPDATE_EXECUTIONS)];
const CONTENT = [
  silent(WRITE_CHECKPOINTS),
  silent(APPEND_ENTRIES, json(2)),
  answering(EFFECTS, [...json(5), 'bigint', ...json(3), 'bigint[]', ...json(2)]),
  silent(PUT_APPROVALS),
  silent(REMOVE_APPROVALS),
  silent(INSERT_ORIGINALS),
  silent(INSERT_ERASURES),
];

/**
 * What a batch writes, in this order. Commits wait for each other at names, keys, threads and executions, which all of them take in this order, and each
 * of these sorted: so no two commits wait for each other. A key passes on, or is freed, when its execution is locked already.
 */
const BATCH_PARTS: readonly Part[] = [
  silent(INSERT_ACTORS),
  silent(INSERT_REVISIONS),
  answering(TAKE_KEYS),
  answering(CREATE_THREADS),
  answering(APPEND_TURNS),
  ...HEADS,
  ...CONTENT,
  answering(PASS_KEYS),
  silent(FREE_KEYS),
  silent(ADD_TENANT_USAGE),
];

/** What one write of a unit writes that may be refused, in the order in which refusals are looked for. */
const UNIT_PARTS: readonly Part[] = [
  ...HEADS,
  answering(REFUSE, ['text']),
  ...CONTENT,
  answering(PASS_KEYS),
  silent(RETURN_KEYS, ['json', 'text']),
  answering(APPEND_TURNS),
];

const COMMIT_PARTS: readonly Part[] = [
  answering(sql(`SELECT ${WRITER_LOCKS}`), ['text']),
  ...BATCH_PARTS,
  answering(SEAL, ['json', 'text', 'bigint', 'bigint', 'text', 'json', 'bigint']),
];

/** `parameterAt`: the expression of a parameter, by its place among those of all parts. */
function body(parts: readonly Part[], parameterAt: (place: number, type: string) => string): string {
  let place = 0;
  return parts
    .map(({ statement, types, returnsRows }) => {
      const values = types.map((type) => parameterAt(++place, type));
      const placed = statement.text.replaceAll(/\$(\d+)/g, (_, digits: string) => values[Number(digits) - 1] ?? '');
      return `IF ${values[0]} IS NOT NULL THEN ${placed}${returnsRows ? ' INTO done' : ''}; END IF;`;
    })
    .join('\n');
}

const SETTINGS = [`SET lock_timeout TO ${LOCK_TIMEOUT_MS}`, ...INDEX_ONLY_SETTINGS.map((name) => `SET ${name} TO off`)].join(' ');

/** A function of the database. The name includes a hash of the definition, so that servers of several releases each find their own. */
interface DatabaseFunction {
  readonly name: string;
  readonly create: string;
}

function databaseFunction(kind: string, definition: string): DatabaseFunction {
  const name = `jamjet_${kind}_${hash('sha256', definition, 'hex').slice(0, 16)}`;
  return { name, create: `CREATE OR REPLACE FUNCTION ${name}${definition}` };
}

const commitTypes = COMMIT_PARTS.flatMap((part) => part.types);
/** The statements of a commit as one function: a commit takes one round trip, and a stalled process holds no transaction open. */
const COMMIT = databaseFunction(
  'commit',
  `(${commitTypes.join(', ')}) RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $commit$
DECLARE done record;
BEGIN
${body(COMMIT_PARTS, (place) => `$${place}`)}
END $commit$`,
);

/**
 * Commits units, each with all of its writes or none, and returns for each null, or why it was refused and the place of the write that was. Parameter:
 * units, which are lists of writes, which are lists of the parameters of `UNIT_PARTS`.
 */
const COMMIT_UNITS_FUNCTION = databaseFunction(
  'units',
  `(json) RETURNS json LANGUAGE plpgsql ${SETTINGS} AS $commit$
DECLARE
  done record;
  the_unit json;
  the_values text[];
  the_place integer;
  refused json[] := '{}';
BEGIN
  FOR the_unit IN SELECT value FROM json_array_elements($1) LOOP
    the_place := 0;
    BEGIN
      FOR the_values IN SELECT ARRAY(SELECT * FROM json_array_elements_text(value)) FROM json_array_elements(the_unit) LOOP
${body(UNIT_PARTS, (place, type) => `the_values[${place}]::${type}`)}
        the_place := the_place + 1;
      END LOOP;
      refused := refused || 'null'::json;
    EXCEPTION
      WHEN SQLSTATE '${EXPECTATION_FAILED}' THEN refused := refused || json_build_array(SQLERRM, the_place);
      WHEN unique_violation THEN refused := refused || json_build_array('sequence', the_place);
    END;
  END LOOP;
  RETURN array_to_json(refused);
END $commit$`,
);

export const COMMIT_FUNCTIONS: readonly DatabaseFunction[] = [COMMIT, COMMIT_UNITS_FUNCTION];

/** Parameters: those of `WRITER_LOCKS`, then `commitParameters`, then those of `SEAL`. */
export const CALL_COMMIT_FUNCTION: Sql = sql(
  `SELECT ${COMMIT.name}(${commitTypes.map((_, index) => `$${index + 1}`).join(', ')})`,
);
/** Parameter: `unitsParameter`. */
export const COMMIT_UNITS: Sql = sql(`SELECT ${COMMIT_UNITS_FUNCTION.name}($1) AS refused`);

function parametersOf(parts: readonly Part[], statements: readonly BoundStatement[]): readonly Value[] {
  return parts.flatMap(
    (part) => statements.find(({ statement }) => statement === part.statement)?.values ?? part.types.map(() => null),
  );
}

/** The parameters of the statements that a commit executes, null for the others. */
export function commitParameters(statements: readonly BoundStatement[]): readonly Value[] {
  return parametersOf(BATCH_PARTS, statements);
}

/** The statements of a commit in the order in which it executes them. */
export function inCommitOrder(statements: readonly BoundStatement[]): readonly BoundStatement[] {
  return BATCH_PARTS.flatMap((part) => statements.filter(({ statement }) => statement === part.statement));
}

/** Units with the statements of each of their writes. */
export function unitsParameter(units: readonly (readonly (readonly BoundStatement[])[])[]): string {
  return JSON.stringify(units.map((writes) => writes.map((statements) => parametersOf(UNIT_PARTS, statements).map(asText))));
}

function asText(value: Value): string | null {
  if (value === null) return null;
  return Array.isArray(value) ? `{${value.join(',')}}` : String(value);
}
