import { hash } from 'node:crypto';
import { BY_KEYS, type Sql, sql } from '../connections.ts';
import { EFFECTS, HEADS, SEAL } from '../queries/commit.ts';
import { LOCK_TIMEOUT_MS, LOCKS } from '../queries/positions.ts';
import { ADD_TENANT_USAGE } from '../queries/tenants.ts';

/** A statement of a commit, and the types of its parameters. One whose first parameter is null is left out. */
interface Part {
  readonly text: string;
  readonly types: readonly string[];
}

const json = (count: number): readonly string[] => Array.from({ length: count }, () => 'json');

const PARTS: readonly Part[] = [
  { text: `PERFORM ${LOCKS}`, types: ['text'] },
  { text: `${HEADS.text} INTO done`, types: json(3) },
  { text: `${EFFECTS.text} INTO done`, types: [...json(5), 'bigint', ...json(3), 'bigint[]', 'json'] },
  { text: ADD_TENANT_USAGE.text, types: json(1) },
  { text: `${SEAL.text} INTO done`, types: ['json', 'text', 'bigint', 'bigint', 'text', 'json', 'bigint'] },
];

function body(): string {
  let place = 0;
  return PARTS.map(({ text, types }) => {
    const before = place;
    place += types.length;
    const placed = text.replaceAll(/\$(\d+)/g, (_, digits: string) => `$${before + Number(digits)}`);
    return `IF $${before + 1} IS NOT NULL THEN ${placed}; END IF;`;
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

/** The parameters of `LOCKS`, `HEADS`, `EFFECTS`, `ADD_TENANT_USAGE` and `SEAL`. */
export const COMMIT_AT_ONCE: Sql = sql(`SELECT ${NAME}(${types.map((_, index) => `$${index + 1}`).join(', ')})`);
