import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { RuntimeProcess } from '../environment/runtime-process.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import { key, type StoredExecution, type Tables } from '../store/tables.ts';

/** The personal data of an execution with a data policy: `mark` of its input. */
const PERSONAL = /mark-s\d/;
/** Sums of costs may differ by rounding. */
const TOLERANCE = 1e-6;
/** Events that say what an attempt has used, also one that was given up. */
export const USES: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'usage_recorded']);

/** Checks what remains when all executions have ended: personal data, usage that is counted twice or not, and work in the processes. */
export function checkLeftovers(database: MemoryDatabase, processes: readonly RuntimeProcess[]): readonly string[] {
  const { tables } = database;
  const problems: string[] = [];
  for (const execution of tables.executions.values()) problems.push(...personalDataOf(tables, execution));
  problems.push(...compareUsage(tables));
  for (const { runtime, incarnation } of processes) {
    const { pendingMessages, inProcess } = runtime?.load() ?? { pendingMessages: 0, inProcess: { waiting: 0 } };
    if (pendingMessages > 0) problems.push(`${incarnation?.id} has ${pendingMessages} messages left`);
    if (inProcess.waiting > 0) problems.push(`${incarnation?.id} has ${inProcess.waiting} attempts left that wait for a slot`);
  }
  return problems;
}

/** Whether no process has anything in progress but calls of tools. */
export function areIdle(processes: readonly RuntimeProcess[]): boolean {
  return processes.every(({ runtime }) => {
    if (runtime === null) return true;
    const { pendingMessages, inProcess } = runtime.load();
    return pendingMessages === 0 && inProcess.waiting === 0;
  });
}

function personalDataOf(tables: Tables, { row, events, checkpoints }: StoredExecution): readonly string[] {
  const source = JSON.parse(tables.revisions.get(key(row.tenantId, row.revision)) ?? '{}') as JsonObject;
  if (source.data_policy === undefined) return [];
  const problems: string[] = [];
  const report = (where: string): void => void problems.push(`${row.id} has a data policy, and personal data in ${where}`);
  for (const { seq, type, data } of events) if (PERSONAL.test(data)) report(`its event ${seq}, ${type}`);
  if (row.completedAtMs === null) return problems;
  const erasure = tables.erasures.get(row.id);
  if (erasure === undefined || erasure.erasedAtMs === null) return [...problems, `${row.id} has ended, and is not erased`];
  for (const { seq, text } of checkpoints) if (PERSONAL.test(text)) report(`its checkpoint at ${seq}`);
  for (const { executionId, seq } of tables.originals.values())
    if (executionId === row.id) report(`the original of its event ${seq}`);
  for (const { executionId, id, payload } of tables.items.values())
    if (executionId === row.id && PERSONAL.test(payload)) report(`work item ${id}`);
  return problems;
}

/** The usage that counts for the tenant is what the logs say, each attempt once; what a fork has copied counts for its origin. */
function compareUsage({ executions, usage }: Tables): readonly string[] {
  const logged = { tokens: 0, costUsd: 0 };
  for (const { events } of executions.values()) {
    const copied = events.find(({ type }) => type === 'workflow_forked')?.seq ?? 0;
    for (const { seq, type, data } of events) {
      if (seq <= copied || !USES.has(type)) continue;
      const { input_tokens, output_tokens, cost_usd, child_execution_id } = objectIn(data);
      // What a child used is in its own log, too.
      if (child_execution_id !== undefined) continue;
      logged.tokens += numberIn(input_tokens) + numberIn(output_tokens);
      logged.costUsd += numberIn(cost_usd);
    }
  }
  const counted = [...usage.values()];
  const tokens = counted.reduce((sum, each) => sum + each.tokens, 0);
  const costUsd = counted.reduce((sum, each) => sum + each.costUsd, 0);
  if (tokens === logged.tokens && Math.abs(costUsd - logged.costUsd) < TOLERANCE) return [];
  return [`the tenant has used ${tokens} tokens and ${costUsd} USD, and by the logs ${logged.tokens} and ${logged.costUsd}`];
}

function objectIn(text: string): JsonObject {
  const value = JSON.parse(text) as Json;
  return isObject(value) ? value : {};
}

function numberIn(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
