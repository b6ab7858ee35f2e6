import { useEffect, useRef } from 'react';
import { messageOf } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { navigate } from '../routing/hash-location.ts';
import { apiClient } from './api-client.ts';
import type { StoredToken } from './token-store.ts';

interface Props {
  readonly code: string;
  readonly signIn: (stored: StoredToken | null, reason?: string | null) => void;
}

/** Exchanges the code of a one-time link for a token, and leaves the link: it must not stay in the history of the browser. */
export function OneTimeLink({ code, signIn }: Props) {
  const used = useRef<string | null>(null);
  useEffect(() => {
    // React runs effects twice during development; the code works once.
    if (used.current === code) return;
    used.current = code;
    apiClient(null)
      .signIn.redeemLink(code)
      .then(
        ({ token }) => signIn({ token, isOfLink: true }),
        (error: unknown) => signIn(null, messageOf(error)),
      )
      .finally(() => navigate('/', { replace: true }));
  }, [code, signIn]);
  return <Loading what="the session" />;
}
