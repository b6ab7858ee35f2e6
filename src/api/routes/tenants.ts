import type { FastifyRequest } from 'fastify';
import type { TenantStorage as StoredBytes } from '../../../store/port/resources/storage.ts';
import type { TenantRecord, TenantUsage } from '../../../store/port/resources/tenants.ts';
import { DEFAULT_TENANT } from '../../control/tenants.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { RequestError } from '../errors.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import {
  CorrectedUsage,
  CorrectUsage,
  CreatedTenant,
  CreateTenant,
  RequestedRecount,
  TENANTS_PAGE,
  type Tenant,
  TenantById,
  TenantDetail,
  TenantList,
  type TenantStorage,
  TenantsQuery,
  UpdatedTenant,
  UpdateTenant,
  UsageOfMonth,
} from '../schemas/tenants.ts';
import { type Api, actionContext, identityOf, type Services, stringField } from '../services.ts';
import { timestamp } from '../time.ts';

/** Operators of the default tenant manage all tenants; those of another tenant see only their own. */
export function tenantRoutes(app: Api, { store, control, tokens, nowMs }: Services): void {
  app.post(
    '/tenants',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Create a tenant',
        tags: ['Tenants'],
        operationId: 'createTenant',
        body: CreateTenant,
        response: { 201: CreatedTenant },
      },
    },
    async (request, reply) => {
      requireDefaultTenant(request, 'create');
      const { id, name, policy, limits } = request.body;
      const settings = { name, ...defined('policy', policy), ...defined('limits', limits) };
      const created = await control.tenants.create(id, settings, actionContext(request, nowMs()));
      // Tokens for this tenant may already exist: they can be created directly in the database.
      tokens.invalidate();
      void reply.code(201);
      return { tenant_id: created.id, ...toTenant(created) };
    },
  );

  app.get(
    '/tenants',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'List tenants',
        tags: ['Tenants'],
        operationId: 'listTenants',
        querystring: TenantsQuery,
        response: { 200: TenantList },
      },
    },
    async (request) => {
      const page = { limit: limitOf(request.query.limit, TENANTS_PAGE), offset: request.query.offset ?? 0 };
      const records = managesAll(request) ? await store.tenants.list(page) : await own(request, page.offset);
      return { tenants: records.map(toTenant), ...page };
    },
  );

  app.get(
    '/tenants/:id',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Get a tenant and its usage',
        tags: ['Tenants'],
        operationId: 'getTenant',
        params: TenantById,
        response: { 200: TenantDetail },
      },
    },
    async (request) => {
      const { id } = request.params;
      const record = await find(request, id);
      const { month, tokens: used, costUsd, liveExecutions, workflows, storage } = await control.tenants.footprint(id);
      const stored = storage === null ? {} : { storage: toStorage(storage) };
      const usage = { month, tokens: used, cost_usd: costUsd, live_executions: liveExecutions, workflows, ...stored };
      return { ...toTenant(record), usage };
    },
  );

  app.put(
    '/tenants/:id',
    {
      config: { access: 'operator', reducesLoad: (body) => ['suspended', 'archived'].includes(stringField(body, 'status')) },
      schema: {
        summary: 'Change a tenant',
        tags: ['Tenants'],
        operationId: 'updateTenant',
        params: TenantById,
        body: UpdateTenant,
        response: { 200: UpdatedTenant },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireDefaultTenant(request, 'change');
      await find(request, id);
      const { name, status, policy, limits } = request.body;
      const settings = {
        ...defined('name', name),
        ...defined('status', status),
        ...(policy === undefined ? {} : { policy }),
        ...(limits === undefined ? {} : { limits }),
      };
      const updated = await control.tenants.update(id, settings, actionContext(request, nowMs()));
      tokens.invalidate();
      return { tenant_id: updated.id, updated: true as const, ...toTenant(updated) };
    },
  );

  app.put(
    '/tenants/:id/usage/:month',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Correct what a tenant has used in a month',
        description: 'For reports that were wrong. The audit log has both amounts, and the reason.',
        tags: ['Tenants'],
        operationId: 'correctUsage',
        params: UsageOfMonth,
        body: CorrectUsage,
        response: { 200: CorrectedUsage },
      },
    },
    async (request) => {
      const { id, month } = request.params;
      requireDefaultTenant(request, 'change');
      await find(request, id);
      const { tokens: used = null, cost_usd = null, reason } = request.body;
      const correction = { month, tokens: used, costUsd: cost_usd, reason };
      const { before, after } = await control.tenants.correctUsage(id, correction, actionContext(request, nowMs()));
      return { tenant_id: id, month, before: toUsed(before), after: toUsed(after) };
    },
  );

  app.post(
    '/tenants/:id/storage/recount',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Count what a tenant stores anew',
        description:
          'Bytes are counted when they are written and deleted, so this is needed only after changes of the database by hand.',
        tags: ['Tenants'],
        operationId: 'recountStorage',
        params: TenantById,
        response: { 202: RequestedRecount },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      requireDefaultTenant(request, 'change');
      await find(request, id);
      const storage = await control.tenants.recountStorage(id, actionContext(request, nowMs()));
      void reply.code(202);
      return { tenant_id: id, storage: toStorage(storage) };
    },
  );

  async function find(request: FastifyRequest, id: string): Promise<TenantRecord> {
    const visible = managesAll(request) || id === identityOf(request).tenantId;
    const record = visible ? await store.tenants.find(id) : null;
    if (record === null) throw new RuntimeError('not_found', `tenant ${truncated(id)} not found`);
    return record;
  }

  async function own(request: FastifyRequest, offset: number): Promise<readonly TenantRecord[]> {
    const record = offset > 0 ? null : await store.tenants.find(identityOf(request).tenantId);
    return record === null ? [] : [record];
  }
}

function managesAll(request: FastifyRequest): boolean {
  return identityOf(request).tenantId === DEFAULT_TENANT;
}

function requireDefaultTenant(request: FastifyRequest, what: string): void {
  if (!managesAll(request)) throw new RequestError('forbidden', `only operators of tenant ${DEFAULT_TENANT} ${what} tenants`);
}

function toTenant({ id, name, status, policy, limits, createdAtMs, updatedAtMs }: TenantRecord): Tenant {
  return {
    id,
    name,
    status,
    ...defined('policy', policy === null ? null : (JSON.parse(policy) as NonNullable<Tenant['policy']>)),
    ...defined('limits', limits === null ? null : (JSON.parse(limits) as NonNullable<Tenant['limits']>)),
    created_at: timestamp(createdAtMs),
    updated_at: timestamp(updatedAtMs),
  };
}

function toStorage({ bytes, byKind, isCounting }: StoredBytes): TenantStorage {
  return { ...defined('bytes', bytes), counting: isCounting, by_kind: byKind };
}

function toUsed({ tokens, costUsd }: TenantUsage): CorrectedUsage['before'] {
  return { tokens, cost_usd: costUsd };
}
