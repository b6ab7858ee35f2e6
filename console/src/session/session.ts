import { createContext, useContext } from 'react';
import type { Caller } from '../../../src/api/operations/identity.ts';
import type { JamjetClient } from '../../../src/client/index.ts';

/** What an action needs, as docs/api.md states it for each route. */
export type Access = Caller['access'][number];

export interface Session {
  readonly client: JamjetClient;
  readonly caller: Caller;
  /** Signed in by a one-time link: what the session makes ends with it. */
  readonly isOfLink: boolean;
  /** What the role may not do is not shown. The server decides all the same. */
  can(access: Access): boolean;
  signOut(): void;
  /** Ends the session if the error says that the token is not valid any more. */
  onRefused(error: unknown): void;
}

export const SessionContext = createContext<Session | null>(null);

/** The caller and its client. Only for components inside `SignedIn`. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession outside of a session');
  return session;
}
