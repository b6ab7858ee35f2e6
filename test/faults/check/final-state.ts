import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../machines/json.ts';
import { decodeEntry } from '../../../store/log/decode.ts';
import type { LogEntry } from '../../../store/log/entry.ts';
import type { Cluster, Row } from '../cluster/cluster.ts';
import type { Claim } from '../load/workers.ts';

const MAX_LINE_CHARS = 300;
/** Of both engines. */
const ENTRIES = `SELECT e.id, l.seq, l.events, l.at_ms, l.request, l.body, a.id AS actor_id, a.type AS actor_type, a.on_behalf_of
  FROM log_entries l JOIN executions e ON e.log_id = l.log_id JOIN log_actors a ON a.number = l.actor ORDER BY e.id, l.seq`;

export interface LogEvent {
  readonly sequence: number;
  readonly type: string;
  readonly node: string | null;
  readonly atMs: number;
  readonly data: JsonObject;
}

export interface StoredExecution {
  readonly id: string;
  readonly workflow: string;
  /** Key of the start request; null for children. */
  readonly key: string | null;
  readonly parent: string | null;
  readonly status: string;
  readonly sequence: number;
  readonly log: readonly LogEvent[];
}

export interface StoredWork {
  readonly id: string;
  readonly execution: string;
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  readonly status: string;
  readonly fence: number;
}

/** An in-process attempt, as recorded by the tool. */
export interface ToolCall {
  readonly execution: string;
  readonly node: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
  /** Process id and clock of the calling process. */
  readonly pid: number;
  readonly atMs: number;
}

/** State after the run: the database, read directly, and the calls recorded by tools. */
export interface FinalState {
  readonly executions: ReadonlyMap<string, StoredExecution>;
  readonly work: readonly StoredWork[];
  readonly calls: readonly ToolCall[];
  /** Remaining rows, by table, of what must be empty once every execution has ended. */
  readonly leftoverRows: Readonly<Record<string, number>>;
}

export async function readFinalState(cluster: Cluster, folder: string): Promise<FinalState> {
  const logs = new Map<string, LogEvent[]>();
  for (const row of await cluster.query(ENTRIES)) {
    const log = logs.get(text(row.id)) ?? [];
    for (const { seq, type, nodeId, atMs, data } of decodeEntry(entryOf(row)))
      log.push({ sequence: seq, type, node: nodeId, atMs, data });
    logs.set(text(row.id), log);
  }
  const executions = new Map<string, StoredExecution>();
  for (const row of await cluster.query('SELECT id, workflow_id, labels, parent_id, status, seq FROM executions')) {
    const id = text(row.id);
    const { key } = JSON.parse(text(row.labels)) as { readonly key?: string };
    executions.set(id, {
      id,
      workflow: text(row.workflow_id),
      key: key ?? null,
      parent: row.parent_id === null ? null : text(row.parent_id),
      status: text(row.status),
      sequence: Number(row.seq),
      log: logs.get(id) ?? [],
    });
  }
  const work = await cluster.query('SELECT id, execution_id, node_id, activation, attempt, status, fence FROM work_items');
  return {
    executions,
    work: work.map(workItemOf),
    calls: readToolCalls(join(folder, 'calls')),
    leftoverRows: await countLeftoverRows(cluster),
  };
}

/** All stored data of one execution, printed with a violation. */
export function dumpExecution({ executions, work, calls }: FinalState, claims: readonly Claim[], id: string): string {
  const execution = executions.get(id);
  if (execution === undefined) return '';
  const of = (each: { readonly execution: string }): boolean => each.execution === id;
  return [
    `  ${execution.workflow} ${id}, ${execution.status}`,
    ...execution.log.map(
      ({ sequence, type, node, atMs, data }) => `    ${sequence} ${atMs} ${type} ${node} ${JSON.stringify(data)}`,
    ),
    ...work.filter(of).map((item) => `    work item ${JSON.stringify(item)}`),
    ...claims.filter(of).map((claim) => `    claim ${JSON.stringify(claim)}`),
    ...calls.filter(of).map((call) => `    call ${JSON.stringify(call)}`),
  ]
    .map((line) => line.slice(0, MAX_LINE_CHARS))
    .join('\n');
}

async function countLeftoverRows(cluster: Cluster): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const tables = {
    timers: 'timers',
    'messages between executions': 'inbox',
    'open work items': 'work_items WHERE settled_at_ms IS NULL',
  };
  for (const [name, from] of Object.entries(tables)) {
    const [row] = await cluster.query(`SELECT count(*) AS n FROM ${from}`);
    counts[name] = Number(row?.n);
  }
  return counts;
}

function workItemOf(row: Row): StoredWork {
  return {
    id: text(row.id),
    execution: text(row.execution_id),
    node: text(row.node_id),
    activation: Number(row.activation),
    attempt: Number(row.attempt),
    status: text(row.status),
    fence: Number(row.fence),
  };
}

function readToolCalls(file: string): readonly ToolCall[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [execution, node, attempt, idempotencyKey, pid, atMs] = JSON.parse(line) as [
      string,
      string,
      number,
      string,
      number,
      number,
    ];
    return { execution, node, attempt, idempotencyKey, pid, atMs };
  });
}

function entryOf(row: Row): LogEntry {
  return {
    seq: Number(row.seq),
    events: Number(row.events),
    atMs: Number(row.at_ms),
    actorId: text(row.actor_id),
    actorType: text(row.actor_type) as LogEntry['actorType'],
    onBehalfOf: row.on_behalf_of === null ? null : text(row.on_behalf_of),
    request: row.request === null ? null : text(row.request),
    body: text(row.body),
  };
}

function text(value: string | number | null | undefined): string {
  return String(value ?? '');
}
