import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { useTenantStream } from '../../../live/tenant-stream.tsx';
import { useSession } from '../../../session/session.ts';
import { ExecutionSource, type Selection, type SourceState } from './execution-source.ts';

/** The source of a selection, which follows the tenant's events, and what it shows now. */
export function useExecutionSource(selection: Selection): { readonly source: ExecutionSource; readonly state: SourceState } {
  const { client, onRefused } = useSession();
  const { subscribe, state: connection } = useTenantStream();
  const key = JSON.stringify(selection);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an equal selection is the same one
  const source = useMemo(() => new ExecutionSource(client, selection), [client, key]);
  const state = useSyncExternalStore(source.subscribe, source.state);

  useEffect(() => {
    source.start();
    const stop = subscribe((event) => source.changed(event));
    return () => {
      stop();
      source.close();
    };
  }, [source, subscribe]);

  const wasOpen = useRef(true);
  useEffect(() => {
    // Events may have been missed since the list was read.
    if (connection.state === 'open' && !wasOpen.current) source.reload();
    if (connection.state !== 'connecting') wasOpen.current = connection.state === 'open';
  }, [connection, source]);

  useEffect(() => onRefused(state.error), [state.error, onRefused]);
  return { source, state };
}
