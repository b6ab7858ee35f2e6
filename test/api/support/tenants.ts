import type { Role } from '../../../src/server/tokens.ts';
import type { Api, CallOptions, Reply } from './api.ts';

export const OPERATOR = { as: 'operator' } as const;

/** Creates a tenant over HTTP. */
export async function createTenant({ post }: Api, id: string, more: object = {}): Promise<void> {
  const { status, body } = await post('/tenants', { id, name: `Tenant ${id}`, ...more }, OPERATOR);
  if (status !== 201) throw new Error(`tenant ${id} was refused: ${body.error}`);
}

export function updateTenant({ call }: Api, id: string, body: object): Promise<Reply> {
  return call('PUT', `/tenants/${id}`, { ...OPERATOR, body });
}

/** Calls with a token of that tenant. */
export async function asTenant({ token }: Api, tenantId: string, role: Role = 'operator'): Promise<CallOptions> {
  const plaintext = await token(role, { tenantId, name: `${role}-of-${tenantId}` });
  return { as: null, headers: { authorization: `Bearer ${plaintext}` } };
}
