/** The session lives as long as the tab: session storage is not shared with other tabs and is gone when this one closes. */
const TOKEN = 'jamjet.token';
/** Set if the token was made for this tab, by a one-time link: signing out revokes it. */
const OF_LINK = 'jamjet.token-of-link';

export interface StoredToken {
  readonly token: string;
  readonly isOfLink: boolean;
}

export function storedToken(): StoredToken | null {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? null : { token, isOfLink: sessionStorage.getItem(OF_LINK) !== null };
}

export function storeToken(stored: StoredToken | null): void {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(OF_LINK);
  if (stored === null) return;
  sessionStorage.setItem(TOKEN, stored.token);
  if (stored.isOfLink) sessionStorage.setItem(OF_LINK, 'yes');
}
