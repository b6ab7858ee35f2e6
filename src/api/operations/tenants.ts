import { type Static, Type } from 'typebox';
import type { Json } from '../../../machines/json.ts';
import {
  anyObject,
  appliedLimit,
  appliedOffset,
  byId,
  described,
  integer,
  limit,
  listOf,
  name,
  number,
  offset,
  optional,
  text,
  timestamp,
} from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const TENANTS_PAGE = { defaultLimit: 1_000, maxLimit: 1_000 };

const STATUSES = ['active', 'suspended', 'archived'] as const;
const STATUS_TEXT = 'Unless `active`, tokens of the tenant are refused, and nothing is started or registered for it.';

const counter = (description: string) => integer(description, { minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const TenantLimits = Type.Object(
  {
    max_concurrent_executions: Type.Optional(counter('Executions that may be live at a time; absent = unlimited.')),
    max_workflows: Type.Optional(counter('Workflows that may be registered; absent = unlimited.')),
    max_requests_per_minute: Type.Optional(integer('Requests per minute; absent = unlimited.', { minimum: 1 })),
    max_tokens_per_month: Type.Optional(counter('Model tokens per calendar month in UTC; absent = unlimited.')),
    max_cost_per_month_usd: Type.Optional(number('Cost in USD per calendar month in UTC; absent = unlimited.', { minimum: 0 })),
    max_storage_bytes: Type.Optional(
      counter('Bytes of logs, artifacts, memory, deliveries, definitions and queued work; absent = unlimited, and not counted.'),
    ),
    max_cost_per_call_usd: Type.Optional(
      number('Cost in USD that one attempt may report where its model has no known price; absent = 100.', { minimum: 0 }),
    ),
    max_tokens_per_call: Type.Optional(
      counter('Input tokens, and output tokens, that one attempt may report; absent = 10,000,000.'),
    ),
    retention_days: Type.Optional(
      integer('Days after which ended executions are deleted; absent = as the server is configured.', { minimum: 1 }),
    ),
  },
  { description: 'What a tenant may use.' },
);

// Checked by the control plane, whose errors name unknown fields.
const policyInput = Type.Optional(
  Type.Unsafe<Json>({
    description:
      'Policy of the tenant: `blocked_tools`, `require_approval_for` and `model_allowlist`, lists of globs; null = none.',
  }),
);
const limitsInput = Type.Optional(Type.Unsafe<Json>({ description: 'Limits as in `TenantLimits`; null = none.' }));

/** Unknown fields are refused: `status` cannot be set here and would be ignored. */
export const CreateTenant = Type.Object(
  {
    id: text('Id of the tenant: at most 128 letters, digits, `.`, `_` and `-`, beginning with a letter or digit.'),
    name: name('Name of the tenant, for people.'),
    policy: policyInput,
    limits: limitsInput,
  },
  { additionalProperties: false, description: 'A new tenant.' },
);
export type CreateTenant = Static<typeof CreateTenant>;

export const UpdateTenant = Type.Object(
  {
    name: optional(name('A name.'), 'New name. Default: unchanged.'),
    status: optional(Type.Enum(STATUSES), `New status. Default: unchanged. ${STATUS_TEXT}`),
    policy: policyInput,
    limits: limitsInput,
  },
  { additionalProperties: false, description: 'Changes of a tenant. What is absent is unchanged.' },
);
export type UpdateTenant = Static<typeof UpdateTenant>;

export const Tenant = Type.Object(
  {
    id: text('Id of the tenant.'),
    name: text('Name of the tenant.'),
    status: Type.Enum(STATUSES, { description: STATUS_TEXT }),
    policy: Type.Optional(anyObject('Policy of the tenant; absent if it has none.')),
    limits: Type.Optional(described(TenantLimits, 'What the tenant may use; absent if it is not limited.')),
    created_at: timestamp('When the tenant was created.'),
    updated_at: timestamp('When the tenant was last changed.'),
  },
  { description: 'A tenant.' },
);
export type Tenant = Static<typeof Tenant>;

export const TenantStorage = Type.Object(
  {
    bytes: Type.Optional(counter('All bytes; absent until the first count is complete.')),
    counting: Type.Boolean({ description: 'Whether everything is being counted, for the first time or anew.' }),
    by_kind: Type.Object(
      {
        logs: counter('Logs of executions with their checkpoints, and the log of changes.'),
        artifacts: counter('Artifacts, uploaded ones and large outputs.'),
        memory: counter('Texts and metadata of the memory.'),
        threads: counter('Messages and summaries of threads.'),
        deliveries: counter('Deliveries of webhooks, 512 bytes each.'),
        definitions: counter('Registered workflows, agents and cron jobs.'),
        work: counter('Payloads of work items that are not settled.'),
      },
      { description: 'The bytes by what they are; 0 for what is not counted yet.' },
    ),
  },
  { description: 'What a tenant stores; absent unless it has the limit `max_storage_bytes`.' },
);
export type TenantStorage = Static<typeof TenantStorage>;

export const TenantUsage = Type.Object(
  {
    month: text('Calendar month in UTC to which tokens and cost refer, such as `2026-03`.'),
    tokens: counter('Model tokens used in the month.'),
    cost_usd: number('Cost of the month in USD.'),
    live_executions: counter('Executions that have not ended.'),
    workflows: counter('Registered workflows.'),
    storage: Type.Optional(TenantStorage),
  },
  { description: 'What a tenant uses.' },
);

export const TenantDetail = Type.Object(
  { ...Tenant.properties, usage: TenantUsage },
  { description: 'A tenant and what it uses.' },
);
export type TenantDetail = Static<typeof TenantDetail>;

const tenantId = text('The same as `id`.');

export const CorrectUsage = Type.Object(
  {
    tokens: optional(counter('Tokens.'), 'Model tokens of the month. Default: as counted.'),
    cost_usd: optional(
      number('USD.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      'Cost of the month in USD. Default: as counted.',
    ),
    reason: text('Why, for the audit log.', { minLength: 1, maxLength: 1024 }),
  },
  { additionalProperties: false, description: 'What a tenant has used in a month, in place of what was counted.' },
);
export type CorrectUsage = Static<typeof CorrectUsage>;

export const RequestedRecount = Type.Object(
  { tenant_id: text('Id of the tenant.'), storage: TenantStorage },
  { description: 'Everything that the tenant stores is counted anew; what was counted before holds until then.' },
);
export type RequestedRecount = Static<typeof RequestedRecount>;

const Used = Type.Object(
  { tokens: counter('Model tokens.'), cost_usd: number('Cost in USD.') },
  { description: 'What was used in the month.' },
);

export const CorrectedUsage = Type.Object(
  {
    tenant_id: text('Id of the tenant.'),
    month: text('The month.'),
    before: described(Used, 'What was counted.'),
    after: described(Used, 'What counts now; reports from now on are added to it.'),
  },
  { description: 'The usage of a month was corrected.' },
);
export type CorrectedUsage = Static<typeof CorrectedUsage>;

export const CreatedTenant = Type.Object({ tenant_id: tenantId, ...Tenant.properties }, { description: 'A tenant was created.' });
export type CreatedTenant = Static<typeof CreatedTenant>;

export const UpdatedTenant = Type.Object(
  { tenant_id: tenantId, updated: Type.Literal(true, { description: 'Always true.' }), ...Tenant.properties },
  { description: 'A tenant was changed.' },
);
export type UpdatedTenant = Static<typeof UpdatedTenant>;

const ById = byId('Id of the tenant.');

export const TenantsQuery = Type.Object({ limit: limit(TENANTS_PAGE), offset });
/** Which tenants are listed. */
export type TenantsQuery = Static<typeof TenantsQuery>;

export const TenantList = Type.Object(
  { tenants: listOf(Tenant, 'By id.'), limit: appliedLimit, offset: appliedOffset },
  { description: 'A page of tenants.' },
);
export type TenantList = Static<typeof TenantList>;

export const TENANTS = {
  tag: 'Tenants',
  operations: {
    'POST /tenants': {
      id: 'createTenant',
      access: 'operator',
      summary: 'Create a tenant',
      body: CreateTenant,
      status: 201,
      reply: CreatedTenant,
    },
    'GET /tenants': {
      id: 'listTenants',
      access: 'operator',
      summary: 'List tenants',
      query: TenantsQuery,
      reply: TenantList,
    },
    'GET /tenants/:id': {
      id: 'getTenant',
      access: 'operator',
      summary: 'Get a tenant and its usage',
      params: ById,
      reply: TenantDetail,
    },
    'PUT /tenants/:id': {
      id: 'updateTenant',
      access: 'operator',
      reducesLoad: { status: ['suspended', 'archived'] },
      summary: 'Change a tenant',
      params: ById,
      body: UpdateTenant,
      reply: UpdatedTenant,
    },
    'PUT /tenants/:id/usage/:month': {
      id: 'correctUsage',
      access: 'operator',
      summary: 'Correct what a tenant has used in a month',
      description: 'For reports that were wrong. The audit log has both amounts, and the reason.',
      params: Type.Object({ id: text('Id of the tenant.'), month: text('Calendar month in UTC, such as `2026-03`.') }),
      body: CorrectUsage,
      reply: CorrectedUsage,
    },
    'POST /tenants/:id/storage/recount': {
      id: 'recountStorage',
      access: 'operator',
      summary: 'Count what a tenant stores anew',
      description:
        'Bytes are counted when they are written and deleted, so this is needed only after changes of the database by hand.',
      params: ById,
      status: 202,
      reply: RequestedRecount,
    },
  },
} satisfies Resource;
