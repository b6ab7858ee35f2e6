import type { CommitRejection, TimerWrite, WorkWrite } from '../../port/commit.ts';
import type { EncodedUnit, EncodedWrite } from './encoded-write.ts';

type Timer = Extract<TimerWrite, { op: 'set' }>;
type Item = Extract<WorkWrite, { op: 'put' }>['item'];

/** Rows of `EFFECTS`, by parameter. */
export interface EffectRows {
  readonly fired: object[];
  readonly rearmed: object[];
  readonly cleared: object[];
  readonly armed: object[];
  readonly settled: object[];
  readonly held: object[];
  readonly cancelled: object[];
  readonly put: object[];
  readonly sent: object[];
  readonly consumed: number[];
  readonly remembered: object[];
}

export function noEffects(): EffectRows {
  return {
    fired: [],
    rearmed: [],
    cleared: [],
    armed: [],
    settled: [],
    held: [],
    cancelled: [],
    put: [],
    sent: [],
    consumed: [],
    remembered: [],
  };
}

export function hasEffects(rows: EffectRows): boolean {
  return Object.values(rows).some((each: readonly unknown[]) => each.length > 0);
}

export function addIdempotency(rows: EffectRows, { idempotency }: EncodedUnit): void {
  if (idempotency === null) return;
  const { tenantId, scope, key, requestHash, response, createdAtMs, executionId } = idempotency;
  rows.remembered.push({
    tenant_id: tenantId,
    scope,
    key,
    request_hash: requestHash,
    response,
    created_at_ms: createdAtMs,
    execution_id: executionId,
  });
}

/**
 * Adds the effects of a write. A statement writes each row once, so successive changes of one row are reduced to their result. Null = added; otherwise
 * the changes contradict each other.
 */
export function addEffects(rows: EffectRows, write: EncodedWrite): CommitRejection['reason'] | null {
  const rejection = addTimers(rows, write) ?? addWork(rows, write);
  if (rejection !== null) return rejection;
  for (const { toExecutionId, message } of write.send)
    rows.sent.push({ place: rows.sent.length, tenant_id: write.tenantId, to_execution_id: toExecutionId, message });
  rows.consumed.push(...write.consumed);
  return null;
}

/** The net change of one timer: the `armedSeq` it must have now (`undefined` = any), and how it is set. */
interface TimerChange {
  was: number | undefined;
  set: Timer | null;
}

function addTimers(rows: EffectRows, { id: execution_id, tenantId, timers }: EncodedWrite): 'timer' | null {
  const nets = new Map<string, TimerChange>();
  for (const timer of timers) {
    const net = nets.get(timer.id);
    if (timer.op === 'set') nets.set(timer.id, { was: net?.was, set: timer });
    else if (timer.op === 'clear') nets.set(timer.id, { was: net?.was, set: null });
    else if (net === undefined) nets.set(timer.id, { was: timer.armedSeq, set: null });
    else if (net.set?.armedSeq === timer.armedSeq) net.set = null;
    else return 'timer';
  }
  for (const [id, { was, set }] of nets) {
    const armed = set === null ? null : { execution_id, id, node_id: set.nodeId, at_ms: set.atMs, armed_seq: set.armedSeq };
    if (armed === null) (was === undefined ? rows.cleared : rows.fired).push({ execution_id, id, armed_seq: was });
    else if (was === undefined) rows.armed.push({ tenant_id: tenantId, ...armed });
    else rows.rearmed.push({ was, ...armed });
  }
  return null;
}

function addWork(rows: EffectRows, { id: execution_id, tenantId, work }: EncodedWrite): 'work' | null {
  const put = new Map<string, { readonly item: Item; status: string }>();
  const settled = new Set<string>();
  for (const each of work) {
    if (each.op === 'put') put.set(each.item.id, { item: each.item, status: 'pending' });
    else if (each.op === 'cancel') {
      const { nodeId, activation, item } = each;
      rows.cancelled.push({ execution_id, node_id: nodeId, activation, item });
      for (const mine of put.values()) {
        const { item: its, status } = mine;
        if (status === 'pending' && its.nodeId === nodeId && its.activation === activation && its.item === item)
          mine.status = 'cancelled';
      }
    } else if (each.op === 'hold') {
      if (settled.has(each.id) || put.has(each.id)) return 'work';
      rows.held.push({ id: each.id, execution_id, fence: each.fence });
    } else {
      const mine = put.get(each.id);
      settled.add(each.id);
      if (mine === undefined) rows.settled.push({ id: each.id, execution_id, fence: each.fence, status: each.status });
      else if (mine.status === 'pending' && each.fence === null) mine.status = each.status;
      else return 'work';
    }
  }
  for (const { item, status } of put.values()) {
    rows.put.push({
      place: rows.put.length,
      id: item.id,
      tenant_id: tenantId,
      execution_id,
      node_id: item.nodeId,
      activation: item.activation,
      attempt: item.attempt,
      item: item.item,
      max_attempts: item.maxAttempts,
      queue: item.queue,
      tool: item.tool,
      timeout_ms: item.timeoutMs,
      created_at_ms: item.createdAtMs,
      status,
      payload: status === 'pending' ? item.payload : '{}',
    });
  }
  return null;
}

/** Rows of `ADD_TENANT_USAGE`. JSON cannot express infinity. */
export function usageRows(writes: readonly EncodedWrite[]): readonly object[] {
  return writes.flatMap(({ tenantId, usage }) =>
    usage === null
      ? []
      : [
          {
            tenant_id: tenantId,
            month: usage.month,
            tokens: usage.tokens,
            cost_usd: Math.min(usage.costUsd, Number.MAX_SAFE_INTEGER),
          },
        ],
  );
}
