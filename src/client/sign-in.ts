import type { CreateSignInLink, SignedIn, SignInLink } from '../api/operations/sign-in.ts';
import type { RevokedToken } from '../api/operations/tokens.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Signing in to the console by one-time links. */
export class SignInClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a link by which a browser signs in as the caller, once. Without `code` if authentication is off. */
  createLink(link: CreateSignInLink = {}, options?: CallOptions): Promise<SignInLink> {
    return this.#transport.call('POST', '/sign-in-links', { ...options, body: link });
  }

  /**
   * Exchanges the code of a link for a token; needs none. Rejects with 404 for an unknown code, and 409 with code `sign_in_link_used` or
   * `sign_in_link_expired`.
   */
  redeemLink(code: string, options?: CallOptions): Promise<SignedIn> {
    return this.#transport.call('POST', '/sign-in', { ...options, body: { code } });
  }

  /** Revokes the token of this client. Rejects with 409 if it does not come from a link. */
  signOut(options?: CallOptions): Promise<RevokedToken> {
    return this.#transport.call('POST', '/sign-out', options);
  }
}
