import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { ExecutionCounts } from '../../../../../src/client/index.ts';
import { useTenantStream } from '../../../live/tenant-stream.tsx';
import { useSession } from '../../../session/session.ts';
import { withoutStatus } from '../counts.ts';
import type { Selection } from './execution-pages.ts';
import { ExecutionSource, type SourceState } from './execution-source.ts';

/** The source of a selection, which follows the tenant's events, and what it shows now. */
export function useExecutionSource(selection: Selection): { readonly source: ExecutionSource; readonly state: SourceState } {
  const { client, onRefused } = useSession();
  const { subscribe, state: connection } = useTenantStream();
  const key = JSON.stringify(selection);
  const countedAs = selection.kind === 'id' ? null : JSON.stringify(withoutStatus(selection.conditions));
  const known = useRef<{ readonly countedAs: string; readonly counts: ExecutionCounts } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an equal selection is the same one
  const source = useMemo(
    () => new ExecutionSource(client, selection, known.current?.countedAs === countedAs ? known.current.counts : null),
    [client, key],
  );
  const state = useSyncExternalStore(source.subscribe, source.state);
  if (countedAs !== null && state.counts !== null) known.current = { countedAs, counts: state.counts };

  useEffect(() => {
    source.start();
    const stop = subscribe((event) => source.changed(event));
    return () => {
      stop();
      source.close();
    };
  }, [source, subscribe]);

  const wasOpen = useRef(connection.state === 'open');
  useEffect(() => {
    // Events may have been missed since the list was read, also before the stream began.
    if (connection.state === 'open' && !wasOpen.current) source.reload();
    if (connection.state !== 'connecting') wasOpen.current = connection.state === 'open';
  }, [connection, source]);

  useEffect(() => onRefused(state.error), [state.error, onRefused]);
  return { source, state };
}
