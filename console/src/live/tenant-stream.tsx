import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { ApiError, type TenantEvent } from '../../../src/client/index.ts';
import { useSession } from '../session/session.ts';

export type Connection = 'connecting' | 'live' | 'offline';

type Listener = (event: TenantEvent['event']) => void;

interface Stream {
  readonly connection: Connection;
  /** Calls the listener for every event of the tenant; returns how to stop that. */
  subscribe(listener: Listener): () => void;
}

const StreamContext = createContext<Stream | null>(null);

const RECONNECT_MS = 2_000;

/** One stream of the tenant's events for the whole page. It continues after the last event when the connection was lost. */
export function TenantStream({ children }: { readonly children: ReactNode }) {
  const { client } = useSession();
  const [connection, setConnection] = useState<Connection>('connecting');
  const listeners = useRef(new Set<Listener>());

  useEffect(() => {
    const gone = new AbortController();
    void (async () => {
      let after: string | undefined;
      while (!gone.signal.aborted) {
        try {
          setConnection('live');
          for await (const { position, event } of client.live.tenant({
            ...(after === undefined ? {} : { after }),
            signal: gone.signal,
          })) {
            after = position;
            for (const listener of listeners.current) listener(event);
          }
        } catch (error) {
          if (gone.signal.aborted || (error instanceof ApiError && error.status < 500)) return;
          setConnection('offline');
          await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
        }
      }
    })();
    return () => gone.abort();
  }, [client]);

  const [subscribe] = useState(() => (listener: Listener) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  });
  return <StreamContext.Provider value={{ connection, subscribe }}>{children}</StreamContext.Provider>;
}

export function useTenantStream(): Stream {
  const stream = useContext(StreamContext);
  if (stream === null) throw new Error('useTenantStream outside of its provider');
  return stream;
}
