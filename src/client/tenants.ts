import type {
  CreatedTenant,
  CreateTenant,
  TenantDetail,
  TenantList,
  TenantsQuery,
  UpdatedTenant,
  UpdateTenant,
} from '../api/schemas/tenants.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** Tenants; every method wants a token of an operator. */
export class TenantClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  create(tenant: CreateTenant, options?: CallOptions): Promise<CreatedTenant> {
    return this.#transport.call('POST', '/tenants', { ...options, body: tenant });
  }

  list(page: TenantsQuery = {}, options?: CallOptions): Promise<TenantList> {
    return this.#transport.call('GET', '/tenants', { ...options, query: { ...page } });
  }

  get(id: string, options?: CallOptions): Promise<TenantDetail> {
    return this.#transport.call('GET', `/tenants/${pathSegment(id)}`, options);
  }

  /** What is left out stays as it is; a policy or limits of null are cleared. */
  update(id: string, change: UpdateTenant, options?: CallOptions): Promise<UpdatedTenant> {
    return this.#transport.call('PUT', `/tenants/${pathSegment(id)}`, { ...options, body: change });
  }
}
