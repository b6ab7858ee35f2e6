import { useCallback, useSyncExternalStore } from 'react';
import type { ExecutionLog, LogTopic } from './execution-log.ts';

/** Renders the component again when what the topic is about has changed, some times a second at most. */
export function useLogVersion(log: ExecutionLog, topic: LogTopic): number {
  const subscribe = useCallback((listener: () => void) => log.subscribe(topic, listener), [log, topic]);
  return useSyncExternalStore(subscribe, () => log.version(topic));
}
