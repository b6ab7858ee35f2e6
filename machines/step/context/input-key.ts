import { outputKeyOf } from '../../nodes/index.ts';
import type { ProgramTables } from '../../program/tables.ts';
import { type Context, own, type PendingInput } from './context.ts';

/** The state key that the output was written to as well; null = none. */
export function inputKeyOf(tables: ProgramTables, [source, , key]: PendingInput): string | null {
  if (key !== undefined) return key;
  return tables.graph.indexOf(source) === undefined ? null : outputKeyOf(tables.nodeOf(source).kind);
}

/** That of the output which reached the node last. */
export function lastInputKeyOf(tables: ProgramTables, context: Context, node: string): string | null {
  const last = own(context.pendingInputs, node)?.at(-1);
  return last === undefined ? null : inputKeyOf(tables, last);
}
