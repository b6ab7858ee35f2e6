import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { TokenRow } from '../../../store/port/control.ts';
import type { TenantRow } from '../../../store/port/resources/tenants.ts';
import type { Store } from '../../../store/port/store.ts';
import { type Config, urlOf } from '../../config.ts';
import { hashToken, isRole, type Role } from '../../tokens.ts';
import { RequestError } from '../errors.ts';

/** What a route lets in: everybody, any role, those who may write, operators. */
export type Access = 'open' | 'read' | 'write' | 'operator';

/** Whose request it is. */
export interface Identity {
  readonly tenantId: string;
  /** Of the token: who acts, in events and approvals. */
  readonly name: string;
  /** Of the token, whose name others may have too; null when authentication is off. */
  readonly tokenId: string | null;
  readonly role: Role;
  /** Of the token; null = it does not expire. */
  readonly expiresAtMs: number | null;
  /** False when authentication is off. */
  readonly byToken: boolean;
}

/** Everybody, when authentication is off. */
export const ANONYMOUS: Identity = {
  tenantId: 'default',
  name: 'anonymous',
  tokenId: null,
  role: 'operator',
  expiresAtMs: null,
  byToken: false,
};

/** How long a revocation by another process may go unnoticed; one by this process takes effect at once. */
const CACHE_TTL_MS = 5_000;
const MAX_CACHED_TOKENS = 10_000;

interface CachedToken {
  readonly token: TokenRow;
  readonly tenant: TenantRow | null;
  readonly readAtMs: number;
}

/** Knows who presents a token. Only hashes are looked up and kept. */
export class TokenAuthenticator {
  readonly #store: Store;
  readonly #nowMs: () => number;
  readonly #cache = new LRUCache<string, CachedToken>({ max: MAX_CACHED_TOKENS });
  /** Counts revocations: a row read before one must not enter the cache after it. */
  #invalidations = 0;
  readonly #subscribers: (() => void)[] = [];

  constructor(store: Store, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** How often tokens or tenants have changed, as far as this process knows. */
  get invalidations(): number {
    return this.#invalidations;
  }

  /** From an `Authorization` header; throws `Refusal`. */
  async identify(authorization: string | undefined): Promise<Identity> {
    const plaintext = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (plaintext === undefined) {
      const empty = authorization === undefined || !/^bearer\b/i.test(authorization);
      throw new RequestError('unauthorized', empty ? 'missing Authorization: Bearer <token>' : 'invalid or expired token');
    }
    const hash = hashToken(plaintext);
    const { token, tenant } = this.#cached(hash) ?? (await this.#read(hash));
    if (token.revokedAtMs !== null || (token.expiresAtMs !== null && token.expiresAtMs <= this.#nowMs())) throw invalidToken();
    if (tenant?.status !== 'active')
      throw new RequestError('tenant_not_active', `tenant ${token.tenantId} is ${tenant === null ? 'unknown' : tenant.status}`);
    // A role this release does not know may do the least.
    const role = isRole(token.role) ? token.role : 'viewer';
    const { id, tenantId, name, expiresAtMs } = token;
    return { tenantId, name, tokenId: id, role, expiresAtMs, byToken: true };
  }

  /** A token was revoked: whatever is remembered is read again. */
  invalidate(): void {
    this.#invalidations += 1;
    this.#cache.clear();
    for (const told of this.#subscribers) told();
  }

  /** Calls `told` when tokens or tenants have changed: who was let in may have to go. */
  onInvalidate(subscriber: () => void): void {
    this.#subscribers.push(subscriber);
  }

  /** What another process did to the control plane; null = it may have done anything. */
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
    const read = { token, tenant, readAtMs };
    if (before === this.#invalidations) this.#cache.set(hash, read);
    return read;
  }
}

function invalidToken(): RequestError {
  return new RequestError('unauthorized', 'invalid or expired token');
}

/** Throws `Refusal` unless the role may use a route of that access. */
export function requireAccess(role: Role, access: Access): void {
  if (access === 'operator' && role !== 'operator')
    throw new RequestError('forbidden', 'insufficient role — operator required', { required: 'operator' });
  if (access === 'write' && role !== 'operator' && role !== 'developer')
    throw new RequestError('forbidden', 'insufficient role — developer or operator required', { required: 'developer' });
}

/**
 * Without authentication only the browser stands between a web page and this server: refuses what a page of another site
 * sends (`Origin`), and what reaches this one under a name that is not its own (DNS rebinding): an address, or a name of its configuration.
 * Throws `Refusal`.
 */
export function rejectCrossOrigin(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  { bind, publicUrl }: Pick<Config, 'bind' | 'publicUrl'>,
): void {
  const host = hostOf(headers.host === undefined ? undefined : `http://${headers.host}`);
  const origin = hostOf(headers.origin);
  const sameSite =
    headers.origin === undefined || (origin !== null && (origin.host === host?.host || isLoopback(origin.hostname)));
  const names = [urlOf(bind, 0), ...(publicUrl === null ? [] : [publicUrl])].map((url) => hostOf(url)?.hostname);
  const isOwn = (name: string): boolean =>
    isLoopback(name) || (!isLoopback(bind) && (isIP(unbracketed(name)) !== 0 || names.includes(name)));
  const knownName = headers.host === undefined || (host !== null && isOwn(host.hostname));
  if (!sameSite || !knownName)
    throw new RequestError('forbidden', 'this server runs without authentication and answers no pages of other sites');
}

function hostOf(url: string | undefined): URL | null {
  return url !== undefined && URL.canParse(url) ? new URL(url) : null;
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** A host as it stands in a URL, or an address as it is bound. */
export function isLoopback(host: string): boolean {
  const name = unbracketed(host);
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}
