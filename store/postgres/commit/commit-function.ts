import { hash } from 'node:crypto';
import { INDEX_ONLY_SETTINGS, type Sql, sql, type Value } from '../connections.ts';
import {
  ADD_TENANT_USAGE,
  APPEND_ENTRIES,
  EFFECTS,
  INSERT_ACTORS,
  INSERT_EXECUTIONS,
  INSERT_LABELS,
  INSERT_REVISIONS,
  SEAL,
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

/** Executed in this order. */
const WRITE_PARTS: readonly Part[] = [
  { statement: INSERT_ACTORS, types: json(1), returnsRows: false },
  { statement: INSERT_REVISIONS, types: json(1), returnsRows: false },
  { statement: INSERT_EXECUTIONS, types: json(1), returnsRows: true },
  { statement: INSERT_LABELS, types: json(1), returnsRows: false },
  { statement: UPDATE_EXECUTIONS, types: json(1), returnsRows: true },
  { statement: WRITE_CHECKPOINTS, types: json(1), returnsRows: false },
  { statement: APPEND_ENTRIES, types: json(2), returnsRows: false },
  { statement: EFFECTS, types: [...json(5), 'bigint', ...json(3), 'bigint[]', ...json(2)], returnsRows: true },
  { statement: ADD_TENANT_USAGE, types: json(1), returnsRows: false },
];
const PARTS: readonly Part[] = [
  { statement: sql(`SELECT ${WRITER_LOCKS}`), types: ['text'], returnsRows: true },
  ...WRITE_PARTS,
  { statement: SEAL, types: ['json', 'text', 'bigint', 'bigint', 'text', 'json', 'bigint'], returnsRows: true },
];

function body(): string {
  let place = 0;
  return PARTS.map(({ statement, types, returnsRows }) => {
    const before = place;
    place += types.length;
    const placed = statement.text.replaceAll(/\$(\d+)/g, (_, digits: string) => `$${before + Number(digits)}`);
    return `IF $${before + 1} IS NOT NULL THEN ${placed}${returnsRows ? ' INTO done' : ''}; END IF;`;
  }).join('\n');
}

const SETTINGS = [`SET lock_timeout TO ${LOCK_TIMEOUT_MS}`, ...INDEX_ONLY_SETTINGS.map((name) => `SET ${name} TO off`)].join(' ');
const types = PARTS.flatMap((part) => part.types);
const definition = `(${types.join(', ')}) RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $commit$
DECLARE done record;
BEGIN
${body()}
END $commit$`;

/**
 * The statements of a commit as one database function: a commit takes one round trip, and a stalled process holds no transaction open. The name
 * includes a hash of the definition, so that servers of several releases each find their own.
 */
export const COMMIT_FUNCTION = `jamjet_commit_${hash('sha256', definition, 'hex').slice(0, 16)}`;
export const CREATE_COMMIT_FUNCTION = `CREATE OR REPLACE FUNCTION ${COMMIT_FUNCTION}${definition}`;

/** Parameters: those of `WRITER_LOCKS`, then `commitParameters`, then those of `SEAL`. */
export const CALL_COMMIT_FUNCTION: Sql = sql(`SELECT ${COMMIT_FUNCTION}(${types.map((_, index) => `$${index + 1}`).join(', ')})`);

/** The parameters of the statements that a commit executes, null for the others. */
export function commitParameters(statements: readonly BoundStatement[]): readonly Value[] {
  return WRITE_PARTS.flatMap(
    (part) => statements.find(({ statement }) => statement === part.statement)?.values ?? part.types.map(() => null),
  );
}
