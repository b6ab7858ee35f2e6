/** The token lives as long as the tab: session storage is not shared with other tabs and is gone when this one closes. */
const KEY = 'jamjet.token';

export function storedToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function storeToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}
