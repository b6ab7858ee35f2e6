import { type Query, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import type { StreamState, TenantChange } from '../../../src/client/index.ts';
import { useSession } from '../session/session.ts';

type Listener = (event: TenantChange['event']) => void;

interface Stream {
  readonly state: StreamState;
  /** Calls the listener for every event of the tenant; returns how to stop that. */
  subscribe(listener: Listener): () => void;
}

const StreamContext = createContext<Stream | null>(null);

/** One stream of the tenant's events for the whole page. After an outage it continues behind the last event. */
export function TenantStream({ children }: { readonly children: ReactNode }) {
  const { client, onRefused } = useSession();
  const [state, setState] = useState<StreamState>({ state: 'connecting' });
  const [listeners] = useState(() => new Set<Listener>());

  useEffect(() => {
    const gone = new AbortController();
    void (async () => {
      try {
        for await (const { event } of client.live.changes({ signal: gone.signal, reconnect: { onState: setState } })) {
          for (const listener of listeners) listener(event);
        }
      } catch (error) {
        if (!gone.signal.aborted) onRefused(error);
      }
    })();
    return () => gone.abort();
  }, [client, onRefused, listeners]);
  useReconnectWhenOnline(state);
  useRetryAfterOutage(state);

  const [subscribe] = useState(() => (listener: Listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  });
  const stream = useMemo((): Stream => ({ state, subscribe }), [state, subscribe]);
  return <StreamContext.Provider value={stream}>{children}</StreamContext.Provider>;
}

export function useTenantStream(): Stream {
  const stream = useContext(StreamContext);
  if (stream === null) throw new Error('useTenantStream outside of its provider');
  return stream;
}

/** Connects at once when the browser is online again. */
export function useReconnectWhenOnline(state: StreamState): void {
  const latest = useRef(state);
  latest.current = state;
  useEffect(() => {
    const retry = (): void => {
      if (latest.current.state === 'waiting') latest.current.retryNow();
    };
    addEventListener('online', retry);
    return () => removeEventListener('online', retry);
  }, []);
}

/** Reads again what could not be read while the server was unreachable, also what no event concerns, such as the check of an open dialog. */
function useRetryAfterOutage({ state }: StreamState): void {
  const queries = useQueryClient();
  const wasLost = useRef(false);
  useEffect(() => {
    if (state === 'waiting') wasLost.current = true;
    if (state !== 'open' || !wasLost.current) return;
    wasLost.current = false;
    const failed = { type: 'active', predicate: (query: Query) => query.state.status === 'error' } as const;
    void queries.refetchQueries(failed, { cancelRefetch: false });
  }, [state, queries]);
}
