import { useCallback, useMemo, useRef, useSyncExternalStore } from 'react';
import { LiveGraph } from '../../../../../src/views/graph.ts';
import type { GraphOverlay } from '../../../components/graph/graph-overlay.ts';
import { useExecutionView } from '../execution-view.ts';
import type { ExecutionLog } from '../log/execution-log.ts';

/** What the execution did with each node and edge: now, or at the sequence that is shown. Null = it cannot be drawn. */
export function useGraphOverlay(): GraphOverlay | null {
  const { log, at } = useExecutionView();
  const live = useMemo(() => liveOverlay(log), [log]);
  const past = usePastOverlay();
  return at === null ? live : past;
}

function liveOverlay(log: ExecutionLog): GraphOverlay | null {
  const { graph } = log;
  if (graph === null) return null;
  return {
    overlayOf: (id) => graph.overlayOf(id),
    timesTaken: (id) => graph.timesTaken(id),
    subscribe: (id, listener) => log.subscribe(`shape:${id}`, listener),
  };
}

/** A graph of its own goes to the sequence; forwards, only the events between are applied. */
function usePastOverlay(): GraphOverlay | null {
  const { log, document, at } = useExecutionView();
  const subscribe = useCallback((listener: () => void) => log.subscribe('events', listener), [log]);
  // Once the log reaches so far, more events change nothing.
  const reached = useSyncExternalStore(subscribe, () => (at === null ? 0 : Math.min(at, log.sequence)));
  const kept = useRef<{ readonly log: ExecutionLog; readonly graph: LiveGraph } | null>(null);
  return useMemo(() => {
    if (at === null || log.graph === null) return null;
    if (kept.current?.log !== log || kept.current.graph.sequence > at) kept.current = { log, graph: new LiveGraph(document) };
    const { graph } = kept.current;
    for (const event of log.events.slice(graph.sequence, reached)) graph.apply(event);
    // Another position is another overlay, which the nodes subscribe to anew.
    return { overlayOf: (id) => graph.overlayOf(id), timesTaken: (id) => graph.timesTaken(id), subscribe: () => () => undefined };
  }, [log, document, at, reached]);
}
