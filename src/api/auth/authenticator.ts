import type { TokenRow } from '../../../store/port/control.ts';
import type { TenantRow } from '../../../store/port/resources/tenants.ts';
import type { Store } from '../../../store/port/store.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import { hashToken, isRole } from '../../server/tokens.ts';
import { RequestError } from '../errors.ts';
import type { Identity } from './identity.ts';

/** Upper bound on how long a revocation by another process may go unnoticed; revocations by this process take effect at once. */
const CACHE_TTL_MS = 5_000;
const MAX_CACHED_TOKENS = 10_000;

const BEARER = /^bearer +(\S+) *$/i;

interface CachedToken {
  readonly token: TokenRow;
  readonly tenant: TenantRow | null;
  readonly identity: Identity;
  readonly readAtMs: number;
}

/** Identifies the callers of requests by their tokens. Only hashes of tokens are looked up and cached. */
export class TokenAuthenticator {
  readonly #store: Store;
  readonly #nowMs: () => number;
  readonly #cache = new RecentlyUsed<string, CachedToken>(MAX_CACHED_TOKENS);
  /** Detects that a row was read before the cache was cleared: it must not be cached after that. */
  #invalidations = 0;
  readonly #subscribers: (() => void)[] = [];

  constructor(store: Store, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** How often the cache was cleared because tokens or tenants changed, as far as this process knows. */
  get invalidations(): number {
    return this.#invalidations;
  }

  /** A promise only if the store has to be read. Throws or rejects with `RequestError`: `unauthorized`, `tenant_not_active`. */
  identify(authorization: string | undefined): Identity | Promise<Identity> {
    const plaintext = BEARER.exec(authorization ?? '')?.[1];
    if (plaintext === undefined) {
      const empty = authorization === undefined || !/^bearer\b/i.test(authorization);
      throw new RequestError('unauthorized', empty ? 'missing Authorization: Bearer <token>' : 'invalid or expired token');
    }
    const hash = hashToken(plaintext);
    const cached = this.#cached(hash);
    return cached === null ? this.#read(hash).then((read) => this.#validIdentity(read)) : this.#validIdentity(cached);
  }

  /** The tenant of a valid token that need not be read; null = it would have to be, or is not valid. */
  cachedTenant(authorization: string | undefined): string | null {
    const plaintext = BEARER.exec(authorization ?? '')?.[1];
    const cached = plaintext === undefined ? null : this.#cached(hashToken(plaintext));
    if (cached === null || cached.token.revokedAtMs !== null || cached.tenant?.status !== 'active') return null;
    const { expiresAtMs } = cached.token;
    return expiresAtMs === null || expiresAtMs > this.#nowMs() ? cached.token.tenantId : null;
  }

  #validIdentity({ token, tenant, identity }: CachedToken): Identity {
    if (token.revokedAtMs !== null || (token.expiresAtMs !== null && token.expiresAtMs <= this.#nowMs())) throw invalidToken();
    requireActive(token.tenantId, tenant);
    return identity;
  }

  /** Clears the cache after a change of tokens or tenants. */
  invalidate(): void {
    this.#invalidations += 1;
    this.#cache.clear();
    for (const subscriber of this.#subscribers) subscriber();
  }

  /** Calls `subscriber` when tokens or tenants have changed: requests in progress may have lost their right. */
  onInvalidate(subscriber: () => void): void {
    this.#subscribers.push(subscriber);
  }

  /** A change of the control plane by another process; null = any change. */
  onControlChange(type: string | null): void {
    if (type === null || type === 'token_revoked' || type.startsWith('tenant_')) this.invalidate();
  }

  #cached(hash: string): CachedToken | null {
    const cached = this.#cache.get(hash);
    return cached !== undefined && this.#nowMs() - cached.readAtMs < CACHE_TTL_MS ? cached : null;
  }

  async #read(hash: string): Promise<CachedToken> {
    const before = this.#invalidations;
    const readAtMs = this.#nowMs();
    const token = await this.#store.tokenByHash(hash);
    if (token === null) throw invalidToken();
    const tenant = await this.#store.tenantRow(token.tenantId);
    const read = { token, tenant, identity: identityOf(token, before), readAtMs };
    if (before === this.#invalidations) this.#cache.set(hash, read);
    return read;
  }
}

function identityOf({ id, tenantId, name, role, expiresAtMs, parentId, queues }: TokenRow, validAt: number): Identity {
  return {
    tenantId,
    name,
    tokenId: id,
    // A role of a later release may only read.
    role: isRole(role) ? role : 'viewer',
    expiresAtMs,
    parentId,
    queues: queues === null ? null : (JSON.parse(queues) as string[]),
    byToken: true,
    validAt,
  };
}

/** Throws `RequestError` `tenant_not_active`. */
export function requireActive(tenantId: string, tenant: TenantRow | null): void {
  if (tenant?.status !== 'active')
    throw new RequestError('tenant_not_active', `tenant ${tenantId} is ${tenant === null ? 'unknown' : tenant.status}`);
}

function invalidToken(): RequestError {
  return new RequestError('unauthorized', 'invalid or expired token');
}
