import type { ConnectionUse } from '../../../store/port/control-store.ts';
import type { Backlog } from '../../../store/port/resources/backlog.ts';
import type { RuntimeLoad } from '../../runtime/types/server-runtime.ts';

/** What is read when the metrics are. */
export interface Reading {
  readonly nowMs: number;
  readonly load: RuntimeLoad;
  readonly corruptExecutions: number;
  readonly clockAheadMs: number;
  /** Open event streams of this server; null = it has none. */
  readonly streams: number | null;
  readonly connections: ConnectionUse | null;
  /** Null = it has not been read yet. */
  readonly backlog: Backlog | null;
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric whose value is read. A counter is one that the process itself counts. */
export interface ReadMetric {
  readonly type: 'gauge' | 'counter';
  readonly name: `jamjet_${string}`;
  readonly help: string;
  readonly labels: readonly string[];
  /** The samples have the label `tenant`, which the metric has if the operator asks for it. */
  readonly ofTenants?: true;
  /** How samples with the same labels make one; default: their sum. */
  readonly combine?: 'max';
  readonly read: (reading: Reading) => readonly Sample[];
}

const one = (value: number): readonly Sample[] => [{ value }];
const none: readonly Sample[] = [];

/** The metrics of `GET /metrics` that are read from this process, and from the database for all processes. */
export const READ_METRICS: readonly ReadMetric[] = [
  {
    type: 'gauge',
    name: 'jamjet_messages_pending',
    help: 'Messages that wait for their commit in this process.',
    labels: [],
    read: ({ load }) => one(load.pendingMessages),
  },
  {
    type: 'gauge',
    name: 'jamjet_attempts_running',
    help: 'In-process attempts that have a slot in this process.',
    labels: [],
    read: ({ load }) => one(load.inProcess.running),
  },
  {
    type: 'gauge',
    name: 'jamjet_attempts_waiting',
    help: 'In-process attempts that wait for a slot in this process.',
    labels: [],
    read: ({ load }) => one(load.inProcess.waiting),
  },
  {
    type: 'gauge',
    name: 'jamjet_attempts_oldest_wait_seconds',
    help: 'How long the in-process attempt that has waited longest waits for a slot; 0 = none waits.',
    labels: [],
    read: ({ load, nowMs }) => one(ageOf(load.inProcess.oldestWaitingSinceMs, nowMs)),
  },
  {
    type: 'gauge',
    name: 'jamjet_execution_cache_executions',
    help: 'Executions in memory.',
    labels: [],
    read: ({ load }) => one(load.executionCache.executions),
  },
  {
    type: 'gauge',
    name: 'jamjet_execution_cache_bytes',
    help: 'Approximate size of the executions in memory.',
    labels: [],
    read: ({ load }) => one(load.executionCache.bytes),
  },
  {
    type: 'counter',
    name: 'jamjet_execution_cache_hits_total',
    help: 'How often an execution that got a message was in memory.',
    labels: [],
    read: ({ load }) => one(load.executionCache.hits),
  },
  {
    type: 'counter',
    name: 'jamjet_execution_cache_misses_total',
    help: 'How often an execution that got a message had to be loaded.',
    labels: [],
    read: ({ load }) => one(load.executionCache.misses),
  },
  {
    type: 'counter',
    name: 'jamjet_corrupt_executions_total',
    help: 'Executions that this process found to be corrupt.',
    labels: [],
    read: ({ corruptExecutions }) => one(corruptExecutions),
  },
  {
    type: 'gauge',
    name: 'jamjet_clock_ahead_seconds',
    help: "How far the clock of this machine is ahead of the database's; negative: behind, 0: by less than five seconds.",
    labels: [],
    read: ({ clockAheadMs }) => one(clockAheadMs / 1000),
  },
  {
    type: 'gauge',
    name: 'jamjet_event_streams',
    help: 'Open event streams of this process.',
    labels: [],
    read: ({ streams }) => (streams === null ? none : one(streams)),
  },
  {
    type: 'gauge',
    name: 'jamjet_database_connections',
    help: 'Pooled connections of this process to PostgreSQL, by state.',
    labels: ['state'],
    read: ({ connections: use }) =>
      use === null
        ? none
        : [
            { labels: { state: 'busy' }, value: use.open - use.idle },
            { labels: { state: 'idle' }, value: use.idle },
          ],
  },
  {
    type: 'gauge',
    name: 'jamjet_database_connections_max',
    help: 'Pooled connections that this process may open (`JAMJET_DATABASE_POOL_SIZE`).',
    labels: [],
    read: ({ connections }) => (connections === null ? none : one(connections.max)),
  },
  {
    type: 'gauge',
    name: 'jamjet_database_requests_waiting',
    help: 'Requests of this process that wait for a pooled connection.',
    labels: [],
    read: ({ connections }) => (connections === null ? none : one(connections.waiting)),
  },
  {
    type: 'gauge',
    name: 'jamjet_executions',
    help: 'Executions in the database that have not ended, by status; at most 10,000 are counted for each tenant.',
    labels: ['status'],
    read: ({ backlog }) =>
      backlog === null
        ? none
        : [
            { labels: { status: 'pending' }, value: backlog.executions.pending },
            { labels: { status: 'running' }, value: backlog.executions.running },
            { labels: { status: 'paused' }, value: backlog.executions.paused },
          ],
  },
  {
    type: 'gauge',
    name: 'jamjet_queue_items',
    help: 'Work items in the database that no worker has claimed, by queue; at most 10,000 are counted for each tenant.',
    labels: ['queue'],
    read: ({ backlog }) => (backlog?.queues ?? []).map(({ queue, count }) => ({ labels: { queue }, value: count })),
  },
  {
    type: 'gauge',
    name: 'jamjet_queue_oldest_age_seconds',
    help: 'Age of the oldest work item in the database that no worker has claimed, by queue.',
    labels: ['queue'],
    combine: 'max',
    read: ({ backlog, nowMs }) =>
      (backlog?.queues ?? []).map(({ queue, oldestAtMs }) => ({ labels: { queue }, value: ageOf(oldestAtMs, nowMs) })),
  },
  {
    type: 'gauge',
    name: 'jamjet_leases',
    help: 'Work items in the database that workers hold under a lease; at most 10,000 are counted.',
    labels: [],
    read: ({ backlog }) => (backlog === null ? none : one(backlog.leases)),
  },
  {
    type: 'gauge',
    name: 'jamjet_timers_overdue',
    help: 'Timers in the database that should have fired; at most 10,000 are counted.',
    labels: [],
    read: ({ backlog }) => (backlog === null ? none : one(backlog.overdueTimers.count)),
  },
  {
    type: 'gauge',
    name: 'jamjet_timers_lag_seconds',
    help: 'How late the most overdue timer in the database is; 0 = none is.',
    labels: [],
    read: ({ backlog, nowMs }) => (backlog === null ? none : one(ageOf(backlog.overdueTimers.oldestAtMs, nowMs))),
  },
  {
    type: 'gauge',
    name: 'jamjet_webhook_deliveries_pending',
    help: 'Deliveries to enabled webhooks that have not succeeded yet; at most 10,000 are counted for each webhook.',
    labels: [],
    read: ({ backlog }) => (backlog === null ? none : one(backlog.webhookDeliveries.count)),
  },
  {
    type: 'gauge',
    name: 'jamjet_webhook_lag_seconds',
    help: 'Age of the oldest event that an enabled webhook has not accepted yet; 0 = there is none.',
    labels: [],
    read: ({ backlog, nowMs }) => (backlog === null ? none : one(ageOf(backlog.webhookDeliveries.oldestAtMs, nowMs))),
  },
  {
    type: 'gauge',
    name: 'jamjet_storage_bytes',
    help: 'Bytes that tenants with `max_storage_bytes` store.',
    labels: [],
    ofTenants: true,
    read: ({ backlog }) => (backlog?.storage ?? []).map(({ tenantId: tenant, bytes }) => ({ labels: { tenant }, value: bytes })),
  },
  {
    type: 'gauge',
    name: 'jamjet_storage_used_ratio',
    help: 'Bytes that a tenant stores, as a part of its `max_storage_bytes`; without the label, of the tenant nearest to its limit.',
    labels: [],
    ofTenants: true,
    combine: 'max',
    read: ({ backlog }) =>
      (backlog?.storage ?? []).map(({ tenantId: tenant, bytes, maxBytes }) => ({
        labels: { tenant },
        value: maxBytes === 0 ? 1 : bytes / maxBytes,
      })),
  },
];

function ageOf(sinceMs: number | null, nowMs: number): number {
  return sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs) / 1000;
}
