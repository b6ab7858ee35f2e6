import { type Static, Type } from 'typebox';
import type { Json } from '../../../machines/json.ts';
import { AnyObject, Limit, Name, Offset, optional, Timestamp } from './fields.ts';

const STATUSES = ['active', 'suspended', 'archived'] as const;
const Status = Type.Enum(STATUSES);

const Count = Type.Integer({ minimum: 0 });

/** What a tenant may at most; what is absent is not limited. */
const Limits = Type.Object({
  max_concurrent_executions: Type.Optional(Count),
  max_workflows: Type.Optional(Count),
  max_requests_per_minute: Type.Optional(Type.Integer({ minimum: 1 })),
  max_tokens_per_month: Type.Optional(Count),
  max_cost_per_month_usd: Type.Optional(Type.Number({ minimum: 0 })),
  retention_days: Type.Optional(Type.Integer({ minimum: 1 })),
});

// Checked by hand: their errors name what is unknown.
const PolicyInput = Type.Optional(Type.Unsafe<Json>({ description: 'A JSON object, kept as it is; null = none.' }));
const LimitsInput = Type.Optional(Type.Unsafe<Json>({ description: 'As in a tenant, and nothing else; null = none.' }));

/** Unknown fields are refused: a `status` here would be lost without a word. */
export const CreateTenant = Type.Object(
  {
    /** Letters, digits, `.`, `_` and `-`, at most 128, the first a letter or digit. */
    id: Type.String(),
    name: Name,
    policy: PolicyInput,
    limits: LimitsInput,
  },
  { additionalProperties: false },
);
export type CreateTenant = Static<typeof CreateTenant>;

export const UpdateTenant = Type.Object(
  {
    name: optional(Name),
    status: optional(Status),
    policy: PolicyInput,
    limits: LimitsInput,
  },
  { additionalProperties: false },
);
export type UpdateTenant = Static<typeof UpdateTenant>;

export const Tenant = Type.Object({
  id: Type.String(),
  name: Type.String(),
  status: Status,
  policy: Type.Optional(AnyObject),
  limits: Type.Optional(Limits),
  created_at: Timestamp,
  updated_at: Timestamp,
});
export type Tenant = Static<typeof Tenant>;

export const TenantDetail = Type.Object({
  ...Tenant.properties,
  usage: Type.Object({
    /** `2026-03`, in UTC: what tokens and cost are of. */
    month: Type.String(),
    tokens: Count,
    cost_usd: Type.Number(),
    live_executions: Count,
    workflows: Count,
  }),
});
export type TenantDetail = Static<typeof TenantDetail>;

export const CreatedTenant = Type.Object({ tenant_id: Type.String(), ...Tenant.properties });
export type CreatedTenant = Static<typeof CreatedTenant>;

export const UpdatedTenant = Type.Object({ tenant_id: Type.String(), updated: Type.Literal(true), ...Tenant.properties });
export type UpdatedTenant = Static<typeof UpdatedTenant>;

export const TenantsQuery = Type.Object({ limit: Type.Optional(Limit), offset: Type.Optional(Offset) });
export type TenantsQuery = Static<typeof TenantsQuery>;

export const TenantList = Type.Object({ tenants: Type.Array(Tenant), limit: Type.Integer(), offset: Type.Integer() });
export type TenantList = Static<typeof TenantList>;
