import { type QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError } from '../../../src/client/index.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { apiClient } from './api-client.ts';
import { type Session, SessionContext } from './session.ts';
import { SignIn } from './sign-in.tsx';
import { storedToken, storeToken } from './token-store.ts';

/** Shows its children to a caller that the server knows, else the sign-in page. The page asked for is shown after signing in. */
export function SignedIn({ queries, children }: { readonly queries: QueryClient; readonly children: ReactNode }) {
  const [token, setToken] = useState(storedToken);
  const [notice, setNotice] = useState<string | null>(null);

  const signIn = useCallback(
    (next: string | null, reason: string | null = null) => {
      storeToken(next);
      queries.clear();
      setToken(next);
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
      <WithCaller token={token} notice={notice} signIn={signIn} onRefused={onRefused}>
        {children}
      </WithCaller>
    </QueryClientProvider>
  );
}

function WithCaller({
  token,
  notice,
  signIn,
  onRefused,
  children,
}: {
  readonly token: string | null;
  readonly notice: string | null;
  readonly signIn: (token: string | null, reason?: string | null) => void;
  readonly onRefused: (error: unknown) => void;
  readonly children: ReactNode;
}) {
  const client = useMemo(() => apiClient(token), [token]);
  // Without a token as well: a server without authentication asks for none.
  const caller = useQuery({ queryKey: ['caller', token], queryFn: ({ signal }) => client.me({ signal }), staleTime: Infinity });
  const session = useMemo((): Session | null => {
    if (caller.data === undefined) return null;
    const { access } = caller.data;
    return { client, caller: caller.data, can: (needed) => access.includes(needed), signOut: () => signIn(null), onRefused };
  }, [caller.data, client, signIn, onRefused]);

  if (session !== null) return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
  if (caller.error instanceof ApiError && caller.error.status === 401) {
    const refused = token === null ? null : 'The server does not accept this token.';
    return <SignIn notice={notice ?? refused} onToken={signIn} />;
  }
  if (caller.error !== null) return <ErrorNotice error={caller.error} onRetry={() => void caller.refetch()} />;
  return <Loading what="the session" />;
}
