import { type QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError } from '../../../src/client/index.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { useHashLocation } from '../routing/hash-location.ts';
import { apiClient } from './api-client.ts';
import { OneTimeLink } from './one-time-link.tsx';
import { type Session, SessionContext } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { type StoredToken, storedToken, storeToken } from './token-store.ts';

/** The fragment of a one-time link. */
const LINK_PATH = /^\/sign-in\/([\w-]+)$/;

interface Props {
  readonly queries: QueryClient;
  readonly children: ReactNode;
}

/** Shows its children to a caller that the server knows, else the sign-in page. The page asked for is shown after signing in. */
export function SignedIn({ queries, children }: Props) {
  const [stored, setStored] = useState(storedToken);
  const [notice, setNotice] = useState<string | null>(null);
  const [path] = useHashLocation();
  const code = LINK_PATH.exec(path)?.[1] ?? null;

  const signIn = useCallback(
    (next: StoredToken | null, reason: string | null = null) => {
      storeToken(next);
      queries.clear();
      setStored(next);
      setNotice(reason);
    },
    [queries],
  );
  const onRefused = useCallback(
    (error: unknown) => {
      if (error instanceof ApiError && error.status === 401) signIn(null, 'The token is not valid any more. Sign in again.');
    },
    [signIn],
  );
  useEffect(
    () =>
      queries.getQueryCache().subscribe(({ query }) => {
        if (query.queryKey[0] !== 'caller') onRefused(query.state.error);
      }),
    [queries, onRefused],
  );

  return (
    <QueryClientProvider client={queries}>
      {code === null ? (
        <WithCaller stored={stored} notice={notice} signIn={signIn} onRefused={onRefused}>
          {children}
        </WithCaller>
      ) : (
        <OneTimeLink code={code} stored={stored} signIn={signIn} />
      )}
    </QueryClientProvider>
  );
}

interface CallerProps {
  readonly stored: StoredToken | null;
  readonly notice: string | null;
  readonly signIn: (stored: StoredToken | null, reason?: string | null) => void;
  readonly onRefused: (error: unknown) => void;
  readonly children: ReactNode;
}

function WithCaller({ stored, notice, signIn, onRefused, children }: CallerProps) {
  const token = stored?.token ?? null;
  const client = useMemo(() => apiClient(token), [token]);
  // Without a token as well: a server without authentication asks for none.
  const caller = useQuery({ queryKey: ['caller', token], queryFn: ({ signal }) => client.me({ signal }) });
  const session = useMemo((): Session | null => {
    if (caller.data === undefined) return null;
    const { access } = caller.data;
    const isOfLink = stored?.isOfLink === true;
    const signOut = (): void => {
      // If that fails, the token expires by itself; this tab has forgotten it either way.
      if (isOfLink) void client.signIn.signOut().catch(() => undefined);
      signIn(null);
    };
    return { client, caller: caller.data, isOfLink, can: (needed) => access.includes(needed), signOut, onRefused };
  }, [caller.data, client, stored, signIn, onRefused]);

  if (session !== null) return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
  if (caller.error instanceof ApiError && caller.error.status === 401) {
    const refused = token === null ? null : 'The server does not accept this token.';
    return <SignIn notice={notice ?? refused} onToken={(given) => signIn({ token: given, isOfLink: false })} />;
  }
  if (caller.error !== null) return <ErrorNotice error={caller.error} onRetry={() => void caller.refetch()} />;
  return <Loading what="the session" />;
}
