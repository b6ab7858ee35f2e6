import type { ExecutionItem, JamjetClient } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import { EXIT, Failure } from '../failure.ts';
import { plain } from '../terminal/text.ts';

const WHOLE = /^(?:exec_)?[0-9a-f]{32}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PART = /^(?:exec_)?[0-9a-f-]{4,36}$/i;
/** Executions of which the last one is chosen that no other execution started. */
const LATEST = 50;
/** Candidates that an ambiguous id lists. */
const MAX_LISTED = 8;

/** Whether it is an id in any notation, and not a part of one. */
export function isWholeId(text: string): boolean {
  return WHOLE.test(text);
}

/**
 * The whole id for what was typed: an id in any notation (without a request), a part of one, or `last`, the execution that was started last
 * and is no child. A part is the beginning or the end of the id: digits that were mistyped are too often in the middle of another one. Throws a
 * `Failure` that lists the candidates if several match.
 */
export async function executionIdOf(client: JamjetClient, typed: string): Promise<string> {
  const text = typed.replace(/…$/, '');
  if (text === 'last') return lastExecution(client);
  if (isWholeId(text) || !PART.test(text) || text.replace(/^exec_/i, '').replaceAll('-', '').length < 4) return typed;
  const { executions, next_cursor } = await client.executions({ id: text, limit: MAX_LISTED + 1 });
  const [first, second] = executions;
  if (first === undefined) {
    const hint = next_cursor === null ? '`jamjet ls` lists the executions.' : 'Only the newest million were looked at.';
    throw new Failure(`not found: execution ${typed}`, { hint });
  }
  if (second === undefined) {
    if (isAtAnEnd(first.execution_id, text)) return first.execution_id;
    const hint = `The digits are in the middle of the id of an execution:\n${candidates([first])}\nType the end of its id.`;
    throw new Failure(`not found: execution ${typed}`, { hint });
  }
  const more = executions.length > MAX_LISTED || next_cursor !== null ? '\n  …' : '';
  throw new Failure(`several executions match ${typed}`, { hint: candidates(executions) + more, exitCode: EXIT.usage });
}

async function lastExecution(client: JamjetClient): Promise<string> {
  const { executions } = await client.executions({ limit: LATEST });
  const last = executions.find(({ parent_execution_id }) => parent_execution_id === undefined) ?? executions[0];
  if (last === undefined) throw new Failure('there are no executions', { hint: 'jamjet run WORKFLOW starts one.' });
  return last.execution_id;
}

function isAtAnEnd(id: string, part: string): boolean {
  const [digits, typed] = [id, part].map((text) =>
    text
      .replace(/^exec_/i, '')
      .replaceAll('-', '')
      .toLowerCase(),
  ) as [string, string];
  return digits.startsWith(typed) || digits.endsWith(typed);
}

function candidates(executions: readonly ExecutionItem[]): string {
  const nowMs = Date.now();
  return executions
    .slice(0, MAX_LISTED)
    .map(({ execution_id, workflow_id, status, created_at }) =>
      plain(`  ${execution_id}  ${workflow_id}  ${status}  ${ago(Date.parse(created_at), nowMs)}`),
    )
    .join('\n');
}
