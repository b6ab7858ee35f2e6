import type {
  CorrectedUsage,
  CorrectUsage,
  CreatedTenant,
  CreateTenant,
  RequestedRecount,
  TenantDetail,
  TenantList,
  TenantsQuery,
  UpdatedTenant,
  UpdateTenant,
} from '../api/schemas/tenants.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** Tenants. Every method requires an operator token; changes require one of tenant `default`. */
export class TenantClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Rejects with 409 if the id exists. */
  create(tenant: CreateTenant, options?: CallOptions): Promise<CreatedTenant> {
    return this.#transport.call('POST', '/tenants', { ...options, body: tenant });
  }

  /** Lists tenants: all for operators of tenant `default`, else the own one. */
  list(page: TenantsQuery = {}, options?: CallOptions): Promise<TenantList> {
    return this.#transport.call('GET', '/tenants', { ...options, query: { ...page } });
  }

  /** A tenant with its usage. Rejects with 404 if it does not exist. */
  get(id: string, options?: CallOptions): Promise<TenantDetail> {
    return this.#transport.call('GET', `/tenants/${pathSegment(id)}`, options);
  }

  /** Replaces the usage of a month (`2026-03`), which the audit log records with the reason. */
  correctUsage(id: string, month: string, correction: CorrectUsage, options?: CallOptions): Promise<CorrectedUsage> {
    const path = `/tenants/${pathSegment(id)}/usage/${pathSegment(month)}`;
    return this.#transport.call('PUT', path, { ...options, body: correction });
  }

  /** Has everything that a tenant stores counted anew. */
  recountStorage(id: string, options?: CallOptions): Promise<RequestedRecount> {
    return this.#transport.call('POST', `/tenants/${pathSegment(id)}/storage/recount`, { ...options });
  }

  /** Changes the given fields; null clears `policy` or `limits`. */
  update(id: string, change: UpdateTenant, options?: CallOptions): Promise<UpdatedTenant> {
    return this.#transport.call('PUT', `/tenants/${pathSegment(id)}`, { ...options, body: change });
  }
}
