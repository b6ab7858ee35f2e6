import type { ActionContext, TokenRow } from '../control.ts';

/** A link with a code that can be exchanged for a token once. */
export interface SignInLinkRow {
  /** SHA-256 of the code, hex. */
  readonly codeHash: string;
  readonly tenantId: string;
  /** The token that made the link. */
  readonly tokenId: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Null = not used. */
  readonly usedAtMs: number | null;
}

/** A link with the token that made it, as that is now. */
export type FoundSignInLink = Pick<SignInLinkRow, 'tenantId' | 'expiresAtMs' | 'usedAtMs'> & {
  readonly token: Pick<TokenRow, 'id' | 'name' | 'role' | 'expiresAtMs' | 'revokedAtMs'>;
};

export interface SignInLinkLimits {
  /** Links that expired before are removed, those of other tenants too. */
  readonly expiredBeforeMs: number;
  /** The newest links of the token that are kept, with the new one. */
  readonly keptPerToken: number;
}

export interface SignIn {
  readonly codeHash: string;
  /** The new token. Its parent is the one that made the link. */
  readonly token: TokenRow & { readonly parentId: string };
  /** Tokens that came from links and expired before are removed, in the tenant of the new one. */
  readonly expiredBeforeMs: number;
}

/** One-time links by which a browser signs in. */
export interface SignInLinkStore {
  put(row: SignInLinkRow, limits: SignInLinkLimits): Promise<void>;
  /** By the hash of its code, across tenants; null when unknown. */
  find(codeHash: string): Promise<FoundSignInLink | null>;
  /**
   * Uses the link and creates the token, in one transaction, as the action `token_created`. Rejects with `sign_in_link_used`, also if the
   * link is gone, and `unknown_token` if the parent is revoked; then nothing is changed.
   */
  use(signIn: SignIn, context: ActionContext): Promise<void>;
}
