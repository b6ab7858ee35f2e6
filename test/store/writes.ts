import type { Batch, CheckpointWrite, CommitUnit, ExecutionWrite, TimerWrite } from '../../store/port/commit.ts';
import type { ActionContext, TokenRow } from '../../store/port/control.ts';
import type { EventRow, ExecutionProgress, IdempotencyRow, NewExecution } from '../../store/port/executions.ts';
import type { Turns } from '../../store/port/turns.ts';
import type { ClaimRequest, NewWorkItem } from '../../store/port/work-items.ts';

/** Goes on without giving way to other work. */
export const AT_ONCE: Turns = { next: () => null };

/** 2026-01-01T00:00:00Z */
export const AT_MS = 1_767_225_600_000;

export function event(seq: number, change: Partial<EventRow> = {}): EventRow {
  return {
    seq,
    type: 'node_completed',
    nodeId: 'a',
    data: { activation: 1, output: { step: seq } },
    atMs: AT_MS,
    actorId: 'alice',
    actorType: 'human',
    onBehalfOf: null,
    request: null,
    ...change,
  };
}

export function events(from: number, to: number): readonly EventRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => event(from + index));
}

function progress(seq: number, change: Partial<ExecutionProgress> = {}): ExecutionProgress {
  return {
    status: 'running',
    seq,
    steps: seq,
    error: null,
    localWork: 0,
    owner: null,
    updatedAtMs: AT_MS,
    completedAtMs: null,
    ...change,
  };
}

export function newExecution(change: Partial<NewExecution> = {}): NewExecution {
  return {
    workflowId: 'refund',
    workflowVersion: '0.1.0',
    revision: 'r1',
    labels: '{}',
    parentId: null,
    depth: 0,
    deadlineAtMs: null,
    createdAtMs: AT_MS,
    ...change,
  };
}

/** Changes of a step beside the two events it appends. */
export type Change = Partial<Omit<ExecutionWrite, 'id' | 'create' | 'progress'>> & {
  readonly create?: Partial<NewExecution>;
  readonly progress?: Partial<ExecutionProgress>;
};

/** The first commit of an execution: events 1 and 2. */
export function startExecution(id: string, change: Change = {}): ExecutionWrite {
  return { ...write(id, 0, change), create: newExecution(change.create) };
}

/** A later commit: the two events after `fromSeq`. */
export function step(id: string, fromSeq: number, change: Change = {}): ExecutionWrite {
  return write(id, fromSeq, change);
}

function write(id: string, fromSeq: number, change: Change): ExecutionWrite {
  const seq = fromSeq + (change.events?.length ?? 2);
  return {
    tenantId: 'default',
    fromSeq,
    checkpoint: checkpoint(`{"at":${seq}}`),
    events: events(fromSeq + 1, seq),
    timers: [],
    work: [],
    send: [],
    consumed: [],
    usage: null,
    ...change,
    id,
    create: null,
    progress: progress(seq, change.progress),
  };
}

/** A checkpoint that replaces all earlier ones, or those from a sequence on. */
export function checkpoint(text: string | null, replacesFrom: number | null = 1): CheckpointWrite {
  return { text, replacesFrom };
}

/** One unit per write. */
export function batch(...writes: readonly ExecutionWrite[]): Batch {
  return { atMs: AT_MS, units: writes.map((each) => unit([each])) };
}

export function unit(executions: readonly ExecutionWrite[], idempotency: IdempotencyRow | null = null): CommitUnit {
  return { executions, idempotency };
}

export function timer(id: string, atMs: number, armedSeq = 2): TimerWrite {
  return { op: 'set', id, nodeId: 'pause', atMs, armedSeq };
}

export function workItem(id: string, change: Partial<NewWorkItem> = {}): NewWorkItem {
  return {
    id,
    nodeId: 'a',
    activation: 1,
    attempt: 0,
    item: null,
    maxAttempts: 3,
    queue: 'tool',
    tool: 'greet',
    payload: '{"input":{}}',
    timeoutMs: null,
    createdAtMs: AT_MS,
    ...change,
  };
}

/** An execution with one work item per entry. */
export function startWithWork(id: string, ...items: readonly NewWorkItem[]): ExecutionWrite {
  return startExecution(id, { work: items.map((item) => ({ op: 'put', item })) });
}

export function claim(change: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    tenantId: 'default',
    workerId: 'worker-1',
    queues: ['tool'],
    tools: null,
    limit: 10,
    leaseMs: 30_000,
    nowMs: AT_MS,
    ...change,
  };
}

export function request(key: string, change: Partial<IdempotencyRow> = {}): IdempotencyRow {
  const response = '{"execution_id":"exec_1"}';
  return {
    tenantId: 'default',
    scope: 'executions',
    key,
    requestHash: 'h1',
    response,
    createdAtMs: AT_MS,
    executionId: 'exec_1',
    ...change,
  };
}

export function token(id: string, change: Partial<TokenRow> = {}): TokenRow {
  return {
    id,
    tenantId: 'default',
    name: `token ${id}`,
    role: 'developer',
    hash: `hash of ${id}`,
    createdAtMs: AT_MS,
    expiresAtMs: null,
    revokedAtMs: null,
    parentId: null,
    queues: null,
    ...change,
  };
}

export function context(change: Partial<ActionContext> = {}): ActionContext {
  return { tenantId: 'default', atMs: AT_MS, actorId: 'root', actorType: 'human', request: null, ...change };
}
