import type { WorkflowRow } from '../../../store/port/control.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { ExecutionStore, TenantStore } from '../../../store/port/execution-store.ts';
import type { StoreNotification } from '../../../store/port/notifications.ts';
import type { ProcessMessages } from '../../../store/port/process-messages.ts';
import type { ApprovalRow } from '../../../store/port/resources/approvals.ts';
import type { TenantQuotas } from '../../../store/port/resources/tenants.ts';
import type { CoreStore } from '../../support/stores.ts';
import type { MemoryDatabase } from './memory-database.ts';
import { key, type StoredRevision } from './tables.ts';

/** Transports requests to the database and replies back. */
export interface Transport {
  /** `write`: requests that the engines send in order over one connection. */
  call<T>(name: string, write: boolean, execute: () => T): Promise<T>;
  watch(onNotification: (notification: StoreNotification) => void): () => void;
  /** Null = processes send no messages to each other. */
  readonly messages: ProcessMessages | null;
  readonly closed: boolean;
  close(): void;
}

/** The port on a `MemoryDatabase`: one connection, identified by `me`. */
export function memoryStore(database: MemoryDatabase, transport: Transport, me: object = {}): CoreStore {
  const { tables, queries, workers, shared } = database;
  const call = async <T>(name: string, write: boolean, execute: () => T): Promise<T> => {
    if (transport.closed) throw new StoreError('store_unavailable', 'the store is closed');
    return transport.call(name, write, execute);
  };
  const read = <T>(name: string, execute: () => T): Promise<T> => call(name, false, execute);
  const write = <T>(name: string, execute: () => T): Promise<T> => call(name, true, execute);

  return {
    engine: shared ? 'postgres' : 'sqlite',
    shared,
    approvals: {
      page: (tenantId, { status, workflowId, after, limit }) =>
        read('approvals', () => {
          const timeOf = (row: ApprovalRow) => (status === 'pending' ? row.requestedAtMs : (row.decidedAtMs ?? 0));
          const order = status === 'pending' ? 1 : -1;
          const compare = (a: readonly (string | number)[], b: readonly (string | number)[]): number => {
            const at = a.findIndex((value, index) => value !== b[index]);
            return at === -1 ? 0 : order * ((a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1);
          };
          const placeOf = (row: ApprovalRow) => [timeOf(row), row.executionId, row.seq];
          return [...tables.approvals.values()]
            .filter((row) => row.tenantId === tenantId && (row.decidedAtMs === null) === (status === 'pending'))
            .filter((row) => workflowId === undefined || row.workflowId === workflowId)
            .sort((a, b) => compare(placeOf(a), placeOf(b)))
            .filter((row) => after === undefined || compare(placeOf(row), [after.atMs, after.executionId, after.seq]) > 0)
            .slice(0, limit);
        }),
      countPending: (tenantId, workflowId) =>
        read('count approvals', () => {
          const pending = [...tables.approvals.values()].filter((row) => row.tenantId === tenantId && row.decidedAtMs === null);
          return pending.filter((row) => workflowId === undefined || row.workflowId === workflowId).length;
        }),
    },
    artifacts: {
      put: unsupported<ExecutionStore['artifacts']>('artifacts').put,
      get: (tenantId, hash) => read('artifact', () => tables.artifacts.get(key(tenantId, hash)) ?? null),
    },
    storage: { of: async () => null },
    erasures: {
      originals: (id, from, to) =>
        read('originals', () =>
          [...tables.originals.values()]
            .filter(({ executionId, seq }) => executionId === id && seq >= from && seq <= to)
            .sort((a, b) => a.seq - b.seq)
            .map(({ seq, salt, data }) => ({ seq, salt, data })),
        ),
      pending: ({ after, limit }) =>
        read('erasures', () =>
          [...tables.erasures.values()]
            .filter(({ executionId, erasedAtMs }) => erasedAtMs === null && executionId > after)
            .sort((a, b) => (a.executionId < b.executionId ? -1 : 1))
            .slice(0, limit)
            .map(({ executionId, tenantId }) => ({ executionId, tenantId })),
        ),
      erase: (erasures) => write('erase', () => erasures.map((erasure) => database.erase(erasure))),
    },
    memory: unsupported<ExecutionStore['memory']>('memory'),
    subjectTokens: {
      put: (row) => write('put subject token', () => void tables.subjectTokens.set(key(row.tenantId, row.executionId), row)),
      find: (tenantId, id) => read('subject token', () => tables.subjectTokens.get(key(tenantId, id))?.sealed ?? null),
      remove: (tenantId, id) => write('remove subject token', () => void tables.subjectTokens.delete(key(tenantId, id))),
      removeUnused: (createdBeforeMs) =>
        write('remove unused subject tokens', () => {
          for (const [name, { createdAtMs, executionId }] of tables.subjectTokens)
            if (createdAtMs < createdBeforeMs && tables.executions.get(executionId)?.row.completedAtMs !== null)
              tables.subjectTokens.delete(name);
        }),
    },
    tenants: tenantQuotas(database, read),
    threads: unsupported<ExecutionStore['threads']>('threads'),

    commit: (batch) => write('commit', () => database.commit(me, batch)),
    control: (action, context) => write('control', () => database.control(me, action, context)),
    tenant: (tenantId) => tenantStore(database, tenantId, read),

    execution: (id) => read('execution', () => tables.executions.get(id)?.row ?? null),
    checkpoint: (id, atOrBefore = Number.POSITIVE_INFINITY) =>
      read('checkpoint', () => tables.executions.get(id)?.checkpoints.findLast(({ seq }) => seq <= atOrBefore) ?? null),
    events: (id, page) => read('events', () => queries.events(id, page)),
    revision: (tenantId, hash) => read('revision', () => tables.revisions.get(key(tenantId, hash)) ?? null),
    executionsWithLocalWork: ({ after, limit }) => read('local work', () => queries.executionsWithLocalWork(after, limit)),
    inbox: ({ after, limit }) =>
      read('inbox', () =>
        [...tables.inbox.values()]
          .filter(({ id }) => id > after)
          .sort((a, b) => a.id - b.id)
          .slice(0, limit)
          .map(({ id, toExecutionId, message }) => ({ id, toExecutionId, message })),
      ),
    due: (nowMs, limit) => read('due', () => queries.due(nowMs, limit)),
    nextDueAtMs: (afterMs = Number.MIN_SAFE_INTEGER) => read('next due', () => queries.nextDueAtMs(afterMs)),

    claimWork: (request) => write('claim', () => database.claim(request)),
    workItem: (tenantId, id) =>
      read('work item', () => {
        const item = tables.items.get(id);
        return item?.tenantId === tenantId ? queries.item(item) : null;
      }),
    unclaimedWork: ({ queue, after, limit }) => read('unclaimed work', () => queries.unclaimed(queue, after, limit)),
    renewLease: (renewal) => write('renew lease', () => queries.renewLease(renewal)),

    heartbeat: (heartbeat) =>
      write('seen', () => {
        const isNews = workers.heartbeat(heartbeat);
        if (isNews && heartbeat.kind === 'runtime') database.changed(me, 'default', 'runtime_started');
      }),
    recordStop: (runtimeId, atMs) =>
      write('stopped', () => {
        workers.stopped(runtimeId, atMs);
        database.changed(me, 'default', 'runtime_stopped');
      }),
    stoppedCleanly: (runtimeId) => read('stopped cleanly', () => workers.stoppedCleanly(runtimeId)),
    clockAheadMs: () => read('clock', () => 0),
    activeRuntimes: (sinceMs) => read('runtimes', () => workers.runtimes(sinceMs)),
    acquireLease: (name, holder, nowMs, ttlMs) => write('lease', () => workers.lease(name, holder, nowMs, ttlMs)),
    subscribe: (subscriber) => (shared ? transport.watch(subscriber) : () => {}),
    notifyGap: () => {
      if (shared) database.announceGap(me);
    },
    messages: shared ? transport.messages : null,
    tokenByHash: (hash) => read('token', () => [...tables.tokens.values()].find((token) => token.hash === hash) ?? null),
    tenantRow: (id) => read('tenant', () => tables.tenants.get(id) ?? null),
    // There is no audit chain; counts the blocks that an engine with a chain would have added.
    verifyAudit: () => read('verify', () => ({ blocks: tables.blocks, head: '', fault: null, unsigned: null })),
    lock: (holder) =>
      write('lock', () => {
        if (shared) return;
        if (tables.holder !== null && tables.holder.connection !== me) throw locked(tables.holder.holder);
        tables.holder = { connection: me, holder };
      }),
    async close() {
      if (tables.holder?.connection === me) tables.holder = null;
      transport.close();
    },
  };
}

function locked({ runtimeId, pid, startedAtMs }: { runtimeId: string; pid: number; startedAtMs: number }): StoreError {
  const since = new Date(startedAtMs).toISOString();
  return new StoreError('store_locked', `the database is in use by ${runtimeId} (process ${pid}, since ${since})`);
}

type Read = <T>(name: string, execute: () => T) => Promise<T>;

function tenantStore({ tables, queries, workers }: MemoryDatabase, tenantId: string, read: Read): TenantStore {
  const registered = (workflowId?: string) =>
    [...tables.workflows.values()]
      .filter((row) => row.tenantId === tenantId && (workflowId === undefined || row.workflowId === workflowId))
      .sort((a, b) => b.registration - a.registration);
  const find = (workflowId: string, version?: string) =>
    registered(workflowId).find((row) => version === undefined || row.version === version);
  const rowOf = ({ tenantId: _tenant, registration: _order, ...row }: ReturnType<typeof registered>[number]): WorkflowRow => ({
    ...row,
    source: tables.revisions.get(key(tenantId, row.revision)) ?? '',
  });
  const contents = (workflowId: string) =>
    [...tables.workflowRevisions.values()]
      .filter((row) => row.tenantId === tenantId && row.workflowId === workflowId)
      .sort((a, b) => b.registration - a.registration);
  return {
    tenantId,
    execution: (id) =>
      read('execution', () => {
        const row = tables.executions.get(id)?.row;
        return row?.tenantId === tenantId ? row : null;
      }),
    executions: (request) => read('executions', () => queries.executions(tenantId, request)),
    countByStatus: (filter) => read('count executions', () => queries.countByStatus(tenantId, filter)),
    countExecutions: (filter) => read('count executions', () => queries.countExecutions(tenantId, filter)),
    searchIds: ({ part, limit }) =>
      read('search ids', () => {
        const ids = [...tables.executions.values()].flatMap(({ row }) => (row.tenantId === tenantId ? [row.id] : []));
        const ending = ids.filter((id) => id.endsWith(part));
        const matches = ending.length > 0 ? ending : ids.filter((id) => id.includes(part));
        return { ids: matches.sort().reverse().slice(0, limit), next: null };
      }),
    workflow: (workflowId, version) =>
      read('workflow', () => {
        const row = find(workflowId, version);
        return row === undefined ? null : rowOf(row);
      }),
    revisionOf: (workflowId, version) => read('revision of', () => find(workflowId, version)?.revision ?? null),
    workflows: ({ limit, offset }) =>
      read('workflows', () => {
        const latest = new Map(
          registered()
            .reverse()
            .map((row) => [row.workflowId, row]),
        );
        const byId = [...latest.values()].sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
        return byId.slice(offset, offset + limit).map(rowOf);
      }),
    versions: (workflowId) => read('versions', () => registered(workflowId).map(rowOf)),
    workflowRevisions: (workflowId, { limit, offset }) =>
      read('workflow revisions', () =>
        contents(workflowId)
          .slice(offset, offset + limit)
          .map(({ tenantId: _tenant, workflowId: _workflow, registration: _order, ...row }) => ({
            ...row,
            isCurrent: find(workflowId, row.version)?.revision === row.revision ? 1 : 0,
          })),
      ),
    workflowByRevision: (workflowId, prefix) =>
      read('workflow by revision', () => {
        const latest = new Map<string, StoredRevision>();
        for (const row of contents(workflowId))
          if (row.revision.startsWith(prefix) && !latest.has(row.revision)) latest.set(row.revision, row);
        return [...latest.values()]
          .slice(0, 2)
          .map(({ firstRegisteredAtMs: _first, firstRegisteredBy: _by, ...row }) => rowOf(row));
      }),
    tokens: () =>
      read('tokens', () =>
        [...tables.tokens.values()]
          .filter((token) => token.tenantId === tenantId)
          .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1)),
      ),
    workers: (sinceMs) => read('workers', () => workers.list(tenantId, sinceMs)),
    waitingWork: () => read('waiting work', () => queries.waiting(tenantId)),
    idempotency: (scope, name) => read('idempotency', () => tables.idempotency.get(key(tenantId, scope, name)) ?? null),
    keyHolder: unsupported<TenantStore>('keys').keyHolder,
  };
}

/** Only the methods that the runtime calls. */
function tenantQuotas({ tables }: MemoryDatabase, read: Read): TenantQuotas {
  // Apart, since the checks compare the usage of commits with the logs.
  const unlogged = new Map<string, { readonly tokens: number; readonly costUsd: number }>();
  return {
    admission: (tenantId) =>
      read('standing', () => {
        const tenant = tables.tenants.get(tenantId);
        return tenant === undefined ? null : { status: tenant.status, limits: tables.limits };
      }),
    inactive: () =>
      read('inactive', () => [...tables.tenants.values()].flatMap(({ id, status }) => (status === 'active' ? [] : [id]))),
    policies: () =>
      read('policies', () => {
        const { policy } = tables;
        return policy === null ? [] : [...tables.tenants.keys()].map((id) => ({ id, policy }));
      }),
    usage: (tenantId, month) =>
      read('usage', () => {
        const added = [tables.usage, unlogged].map((each) => each.get(key(tenantId, month)) ?? { tokens: 0, costUsd: 0 });
        return {
          tokens: added.reduce((sum, { tokens }) => sum + tokens, 0),
          costUsd: added.reduce((sum, { costUsd }) => sum + costUsd, 0),
        };
      }),
    addUsage: (tenantId, { month, tokens, costUsd }) =>
      read('added usage', () => {
        const before = unlogged.get(key(tenantId, month)) ?? { tokens: 0, costUsd: 0 };
        unlogged.set(key(tenantId, month), { tokens: before.tokens + tokens, costUsd: before.costUsd + costUsd });
      }),
    liveExecutions: (tenantId) =>
      read(
        'live executions',
        () => [...tables.executions.values()].filter(({ row }) => row.tenantId === tenantId && row.completedAtMs === null).length,
      ),
    workflowCount: (tenantId) =>
      read(
        'workflow count',
        () => new Set([...tables.workflows.values()].flatMap((row) => (row.tenantId === tenantId ? [row.workflowId] : []))).size,
      ),
  };
}

/** Parts of the port that the runtime does not call: every method rejects. */
function unsupported<T extends object>(part: string): T {
  return new Proxy({} as T, {
    get(_target, method) {
      return () => Promise.reject(new TypeError(`the simulated store has no ${part}.${String(method)}`));
    },
  });
}
