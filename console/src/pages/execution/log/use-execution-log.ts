import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { JsonObject } from '../../../../../machines/json.ts';
import type { StreamState } from '../../../../../src/client/index.ts';
import { useReconnectWhenOnline, useTenantStream } from '../../../live/tenant-stream.tsx';
import { useSession } from '../../../session/session.ts';
import { ExecutionLog } from './execution-log.ts';

/** Time of a frame that is spent on events; a long log takes several frames, between which the page stays usable. */
const SLICE_MS = 8;
const FLUSH_MS = 80;
/** A page in the background has no frames. */
const HIDDEN_FRAME_MS = 200;

interface FollowedLog {
  readonly log: ExecutionLog;
  readonly stream: StreamState;
  /** Reads on after the stream has failed. */
  readonly retry: () => void;
}

/** The log of an execution, read once and followed by one stream; after an outage it continues behind the last event. */
export function useExecutionLog(id: string, document: JsonObject): FollowedLog {
  const { client, onRefused } = useSession();
  const { subscribe } = useTenantStream();
  const log = useMemo(() => new ExecutionLog(document), [document]);
  const [stream, setStream] = useState<StreamState>({ state: 'connecting' });
  const [round, setRound] = useState(0);
  const isOver = useRef(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another round follows a log that has ended and goes on
  useEffect(() => {
    const gone = new AbortController();
    isOver.current = false;
    const { signal } = gone;
    void (async () => {
      const flusher = new Flusher(() => log.flush());
      let sliceEndMs = performance.now() + SLICE_MS;
      try {
        for await (const message of client.live.feed(id, { after: log.sequence, signal, reconnect: { onState: setStream } })) {
          if ('event' in message) log.apply(message.event);
          else log.show(message.update);
          flusher.changed();
          if (performance.now() < sliceEndMs) continue;
          await nextFrame();
          sliceEndMs = performance.now() + SLICE_MS;
        }
        isOver.current = true;
      } catch (error) {
        if (!signal.aborted) onRefused(error);
      }
    })();
    return () => gone.abort();
  }, [client, id, log, onRefused, round]);

  // A failed execution that is retried goes on.
  useEffect(
    () =>
      subscribe(({ execution_id, sequence }) => {
        if (isOver.current && execution_id === id && sequence > log.sequence) setRound((before) => before + 1);
      }),
    [subscribe, id, log],
  );
  useReconnectWhenOnline(stream);
  const retry = useCallback(() => setRound((before) => before + 1), []);
  return { log, stream, retry };
}

/** Calls `flush` in a frame after each change, the first at once, then at most once in `FLUSH_MS`: to show more than that is only work. */
class Flusher {
  readonly #flush: () => void;
  #isWaiting = false;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  changed(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => void this.#flushInFrame(), Math.max(0, this.#flushedAtMs + FLUSH_MS - performance.now()));
  }

  async #flushInFrame(): Promise<void> {
    await nextFrame();
    this.#isWaiting = false;
    this.#flushedAtMs = performance.now();
    this.#flush();
  }
}

function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, HIDDEN_FRAME_MS);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
