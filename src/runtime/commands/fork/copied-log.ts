import type { JsonObject } from '../../../../machines/json.ts';
import { charsUpTo } from '../../../../machines/json-size.ts';
import type { History } from '../../../../machines/replay/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow, ExecutionRow } from '../../../../store/port/executions.ts';
import type { Artifact } from '../../../../store/port/resources/artifacts.ts';
import { type CachedExecution, identityIn } from '../../engine/loading/cached-execution.ts';
import { RuntimeError } from '../../errors.ts';
import { offloadedArtifact, offloadedBytes, offloadedReplayBytes, withPayload } from '../../log/offloaded-payloads.ts';
import { eventOf, readLog, replayableOf, type TimedEvent } from '../../log/read-log.ts';
import { readHistory } from '../../log/replay-log.ts';

/** A fork's log is written in one transaction, which blocks all others. */
const MAX_EVENTS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The log of an execution up to its fork point. */
export interface CopiedLog {
  readonly rows: readonly EventRow[];
  /** The same events with offloaded outputs restored, for replay. */
  readonly events: readonly TimedEvent[];
  /** The payloads that the rows refer to. */
  readonly artifacts: readonly Artifact[];
  readonly history: History;
}

/** Reads the first `sequence` events. Throws `bad_request` if they are too many or too large to copy. */
export async function copyLog(
  store: ExecutionStore,
  execution: CachedExecution | ExecutionRow,
  sequence: number,
): Promise<CopiedLog> {
  checkForkLength(sequence);
  const { tenantId, id: executionId } = execution;
  const rows: EventRow[] = [];
  const events: TimedEvent[] = [];
  const artifacts: Artifact[] = [];
  let bytes = 0;
  for await (const row of readLog(store, executionId, { limit: sequence, original: true })) {
    const event = eventOf(row);
    const offloaded = offloadedBytes(row.type, event.data);
    bytes += charsUpTo(row.data, MAX_BYTES) + offloaded;
    if (bytes > MAX_BYTES) throw tooLarge(`${MAX_BYTES / 1024 / 1024} MiB`);
    const artifact = offloaded === 0 ? null : await offloadedArtifact(store, tenantId, event.data);
    if (artifact !== null) artifacts.push(artifact);
    const isReplayed = offloadedReplayBytes(row.type, event.data) > 0;
    events.push(artifact === null || !isReplayed ? replayableOf(row) : { ...event, data: withPayload(artifact, event.data) });
    rows.push(row);
  }
  return {
    rows,
    events,
    artifacts,
    history: await readHistory(store, { executionId, labels: identityIn(execution).labels }, sequence),
  };
}

/** Throws `bad_request` if a log of that many events is too long to copy. */
export function checkForkLength(events: number): void {
  if (events > MAX_EVENTS) throw tooLarge(`${MAX_EVENTS} events`);
}

/** The same log, as an execution of another workflow version would have written it. */
export function withWorkflowVersion({ rows, events, artifacts, history }: CopiedLog, version: string): CopiedLog {
  const renamed = (data: JsonObject): JsonObject => ({ ...data, workflow_version: version });
  return {
    rows: rows.map((row, i) => (i === 0 ? { ...row, data: renamed(row.data) } : row)),
    events: events.map((event, i) => (i === 0 ? { ...event, data: renamed(event.data) } : event)),
    artifacts,
    history,
  };
}

function tooLarge(bound: string): RuntimeError {
  return new RuntimeError('bad_request', `a fork copies the log up to its fork point, which is more than ${bound}`);
}
