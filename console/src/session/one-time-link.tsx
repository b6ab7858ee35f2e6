import { useEffect, useRef, useState } from 'react';
import type { Caller } from '../../../src/api/operations/identity.ts';
import type { SignedIn } from '../../../src/api/operations/sign-in.ts';
import { ApiError } from '../../../src/client/index.ts';
import { messageOf } from '../components/error-notice.tsx';
import { Loading } from '../components/loading.tsx';
import { useNotices } from '../components/notices.tsx';
import { navigate } from '../routing/hash-location.ts';
import { apiClient } from './api-client.ts';
import { SwitchDialog } from './switch-dialog.tsx';
import type { StoredToken } from './token-store.ts';

interface Props {
  readonly code: string;
  /** The session of this tab; null = none. */
  readonly stored: StoredToken | null;
  readonly signIn: (stored: StoredToken | null, reason?: string | null) => void;
}

/** Who the tab is now, and who the link would make it. */
interface Switch {
  readonly from: Caller;
  readonly to: SignedIn;
}

/**
 * Exchanges the code of a one-time link for a token, and leaves the link: it must not stay in the history of the browser. A tab that is
 * signed in is asked before it becomes another caller, and stays what it is when the link does not work.
 */
export function OneTimeLink({ code, stored, signIn }: Props) {
  const used = useRef<string | null>(null);
  const notices = useNotices();
  const [asked, setAsked] = useState<Switch | null>(null);
  useEffect(() => {
    // React runs effects twice during development; the code works once.
    if (used.current === code) return;
    used.current = code;
    const redeem = async (): Promise<Switch | null> => {
      const from = stored === null ? null : await callerOf(stored.token);
      const to = await apiClient(null).signIn.redeemLink(code);
      if (from !== null) return { from, to };
      signIn({ token: to.token, isOfLink: true });
      return null;
    };
    redeem().then(
      (next) => (next === null ? leave() : setAsked(next)),
      (error: unknown) => {
        if (stored === null) signIn(null, messageOf(error));
        else notices.failed(new Error(`The sign-in link does not work: ${messageOf(error)}`));
        leave();
      },
    );
  }, [code, stored, signIn, notices]);

  if (asked === null) return <Loading what="the session" />;
  const { token } = asked.to;
  return (
    <SwitchDialog
      {...asked}
      onStay={() => {
        // If that fails, the token expires by itself; only this tab has seen it.
        void apiClient(token)
          .signIn.signOut()
          .catch(() => undefined);
        leave();
      }}
      onSwitch={() => {
        signIn({ token, isOfLink: true });
        leave();
      }}
    />
  );
}

function leave(): void {
  navigate('/', { replace: true });
}

/** Null = the token is not valid any more, so there is no session to keep. */
async function callerOf(token: string): Promise<Caller | null> {
  try {
    return await apiClient(token).me();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}
