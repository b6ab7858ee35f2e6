import { hash } from 'node:crypto';
import { BY_KEYS, type Sql, sql, type Value } from '../connections.ts';
import { APPEND_EVENTS, BEGIN_EXECUTIONS, EFFECTS, LABEL_EXECUTIONS, MOVE_EXECUTIONS, SEAL } from '../queries/commit.ts';
import { LOCK_TIMEOUT_MS, LOCKS } from '../queries/positions.ts';
import { ADD_TENANT_USAGE } from '../queries/tenants.ts';

/** A statement of a commit that has something to write. */
export interface Asked {
  readonly statement: Sql;
  readonly values: readonly Value[];
}

/** A statement of a commit, and the types of its parameters. One whose first parameter is null is left out. */
interface Part {
  readonly statement: Sql;
  readonly types: readonly string[];
  /** One that answers rows has to say where to. */
  readonly answers: boolean;
}

const json = (count: number): readonly string[] => Array.from({ length: count }, () => 'json');

/** In this order. */
const WRITTEN: readonly Part[] = [
  { statement: BEGIN_EXECUTIONS, types: json(1), answers: true },
  { statement: LABEL_EXECUTIONS, types: json(1), answers: false },
  { statement: MOVE_EXECUTIONS, types: json(1), answers: true },
  { statement: APPEND_EVENTS, types: json(1), answers: false },
  { statement: EFFECTS, types: [...json(5), 'bigint', ...json(3), 'bigint[]', 'json'], answers: true },
  { statement: ADD_TENANT_USAGE, types: json(1), answers: false },
];
const PARTS: readonly Part[] = [
  { statement: sql(`SELECT ${LOCKS}`), types: ['text'], answers: true },
  ...WRITTEN,
  { statement: SEAL, types: ['json', 'text', 'bigint', 'bigint', 'text', 'json', 'bigint'], answers: true },
];

function body(): string {
  let place = 0;
  return PARTS.map(({ statement, types, answers }) => {
    const before = place;
    place += types.length;
    const placed = statement.text.replaceAll(/\$(\d+)/g, (_, digits: string) => `$${before + Number(digits)}`);
    return `IF $${before + 1} IS NOT NULL THEN ${placed}${answers ? ' INTO done' : ''}; END IF;`;
  }).join('\n');
}

const SETTINGS = [`SET lock_timeout TO ${LOCK_TIMEOUT_MS}`, ...BY_KEYS.map((name) => `SET ${name} TO off`)].join(' ');
const types = PARTS.flatMap((part) => part.types);
const definition = `(${types.join(', ')}) RETURNS void LANGUAGE plpgsql ${SETTINGS} AS $commit$
DECLARE done record;
BEGIN
${body()}
END $commit$`;

/**
 * The statements of a commit as one function of the database: a commit is one question and one answer, and a process that stands still holds
 * no transaction open. Its name tells what it does, so that servers of several releases find each its own.
 */
export const NAME = `jamjet_commit_${hash('sha256', definition, 'hex').slice(0, 16)}`;
export const CREATE = `CREATE OR REPLACE FUNCTION ${NAME}${definition}`;

/** The parameters of `LOCKS`, then `written`, then those of `SEAL`. */
export const COMMIT_AT_ONCE: Sql = sql(`SELECT ${NAME}(${types.map((_, index) => `$${index + 1}`).join(', ')})`);

/** The parameters of what a commit writes. */
export function written(asked: readonly Asked[]): readonly Value[] {
  return WRITTEN.flatMap(
    (part) => asked.find(({ statement }) => statement === part.statement)?.values ?? part.types.map(() => null),
  );
}
