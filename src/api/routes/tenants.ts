import type { TenantStorage } from '../../../store/port/resources/storage.ts';
import type { TenantRecord } from '../../../store/port/resources/tenants.ts';
import { DEFAULT_TENANT } from '../../control/tenants.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { RequestError } from '../errors.ts';
import { parsed, present } from '../operations/codec.ts';
import { TENANTS, TENANTS_PAGE } from '../operations/tenants.ts';
import { limitOf } from '../schemas/fields.ts';
import type { Services } from '../services.ts';
import { implement } from './implement.ts';

/** Operators of the default tenant manage all tenants; those of another tenant see only their own. */
export const tenantRoutes = implement(TENANTS, {
  'POST /tenants': async ({ body: { id, ...settings }, context }, { control, tokens }) => {
    requireDefaultTenant(context, 'create');
    const created = await control.tenants.create(id, present(settings), context);
    // Tokens for this tenant may already exist: they can be created directly in the database.
    tokens.invalidate();
    return { tenantId: created.id, ...shown(created) };
  },

  'GET /tenants': async ({ query: { limit, offset = 0 }, tenantId }, { store: { tenants } }) => {
    const page = { limit: limitOf(limit, TENANTS_PAGE), offset };
    const records = tenantId === DEFAULT_TENANT ? await tenants.list(page) : [await tenants.find(tenantId)].slice(offset);
    return { tenants: records.filter((record) => record !== null).map(shown), ...page };
  },

  'GET /tenants/:id': async ({ params: { id }, tenantId }, { store, control }) => {
    const record = await find(tenantId, id, store);
    const { storage, ...usage } = await control.tenants.footprint(id);
    return { ...shown(record), usage: { ...usage, storage: storage && shownStorage(storage) } };
  },

  'PUT /tenants/:id': async ({ params: { id }, body, context }, { store, control, tokens }) => {
    requireDefaultTenant(context, 'change');
    await find(context.tenantId, id, store);
    const { name = null, status = null, ...rest } = body;
    const updated = await control.tenants.update(id, { ...rest, ...present({ name, status }) }, context);
    tokens.invalidate();
    return { tenantId: updated.id, updated: true as const, ...shown(updated) };
  },

  'PUT /tenants/:id/usage/:month': async ({ params: { id, month }, body, context }, { store, control }) => {
    requireDefaultTenant(context, 'change');
    await find(context.tenantId, id, store);
    const { tokens = null, costUsd = null, reason } = body;
    return { tenantId: id, month, ...(await control.tenants.correctUsage(id, { month, tokens, costUsd, reason }, context)) };
  },

  'POST /tenants/:id/storage/recount': async ({ params: { id }, context }, { store, control }) => {
    requireDefaultTenant(context, 'change');
    await find(context.tenantId, id, store);
    return { tenantId: id, storage: shownStorage(await control.tenants.recountStorage(id, context)) };
  },
});

async function find(callersTenant: string, id: string, store: Services['store']): Promise<TenantRecord> {
  const isVisible = callersTenant === DEFAULT_TENANT || id === callersTenant;
  const record = isVisible ? await store.tenants.find(id) : null;
  if (record === null) throw new RuntimeError('not_found', `tenant ${truncated(id)} not found`);
  return record;
}

function requireDefaultTenant({ tenantId }: { readonly tenantId: string }, what: string): void {
  if (tenantId !== DEFAULT_TENANT)
    throw new RequestError('forbidden', `only operators of tenant ${DEFAULT_TENANT} ${what} tenants`);
}

function shown({ policy, limits, ...record }: TenantRecord) {
  return { ...record, policy: parsed(policy), limits: parsed(limits) };
}

function shownStorage({ isCounting, ...storage }: TenantStorage) {
  return { ...storage, counting: isCounting };
}
