import type { Client } from 'pg';
import { encodeStored } from '../../log/encode.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import { typeTokens } from '../../log/type-tokens.ts';
import type { ConversionProgress } from '../../port/conversion.ts';
import { ActorList, withSameRequests } from '../commit/entry-rows.ts';
import { BEGIN, runQuery, sql as statement } from '../connections.ts';
import { jsonText } from '../json-text.ts';
import { INSERT_ACTORS } from '../queries/commit.ts';
import * as sql from '../queries/conversion.ts';

const COMMIT = statement('COMMIT');
const ROLLBACK = statement('ROLLBACK');

interface OldEvent extends StoredEvent {
  readonly position: number;
  readonly executionId: string;
  readonly logId: number | null;
  readonly tenantId: string;
}

interface Progress {
  readonly position: number;
  readonly lowestLog: number;
  readonly lowestPosition: number;
  readonly highestPosition: number;
}

/**
 * Moves the log of a release that stored a row per event into entries. Each batch is a transaction, so that a process that is killed meanwhile has
 * lost nothing, and the next one goes on. Nothing else may write to the log before it is done. Every event keeps its position and every text, damaged
 * ones too, so that cursors and the audit chain stay valid.
 */
export async function convertLog(
  client: Client,
  lock: number,
  onProgress: (progress: ConversionProgress) => void,
): Promise<void> {
  for (;;) {
    const progress = await convertBatch(client, lock);
    if (progress === null) return;
    onProgress(progress);
  }
}

/** Null = there is nothing left. */
async function convertBatch(client: Client, lock: number): Promise<ConversionProgress | null> {
  await runQuery(client, BEGIN, []);
  try {
    await runQuery(client, sql.LOCK_CONVERSION, [lock]);
    const progress = (await isUnconverted(client)) ? await moveEvents(client) : null;
    await runQuery(client, COMMIT, []);
    return progress;
  } catch (error) {
    await runQuery(client, ROLLBACK, []).catch(() => {});
    throw error;
  }
}

export async function isUnconverted(client: Client): Promise<boolean> {
  const [row] = await runQuery<{ unconverted: boolean }>(client, sql.IS_UNCONVERTED, []);
  return row?.unconverted === true;
}

async function moveEvents(client: Client): Promise<ConversionProgress | null> {
  const [progress] = await runQuery<Progress & { [column: string]: unknown }>(client, sql.CONVERTED, []);
  const { position = Number.MIN_SAFE_INTEGER, lowestLog = 0, lowestPosition = 1, highestPosition = 0 } = progress ?? {};
  const events = await runQuery<OldEvent & { [column: string]: unknown }>(client, sql.UNCONVERTED_EVENTS, [position]);
  const last = events.at(-1);
  if (last === undefined) {
    await runQuery(client, sql.DROP_UNCONVERTED, []);
    await runQuery(client, sql.ANALYZE_CONVERTED, []);
    return null;
  }
  const actors = new ActorList();
  const rows = entryRows(events, actors, lowestLog);
  await runQuery(client, INSERT_ACTORS, [actors.json]);
  await runQuery(client, sql.CONVERT_ENTRIES, [jsonText(rows), actors.json]);
  return { events: last.position - lowestPosition + 1, total: highestPosition - lowestPosition + 1 };
}

function entryRows(events: readonly OldEvent[], actors: ActorList, lowestLog: number): readonly object[] {
  const orphans = new Map<string, number>();
  const orphanLog = (executionId: string): number => {
    const log = orphans.get(executionId) ?? lowestLog - orphans.size - 1;
    orphans.set(executionId, log);
    return log;
  };
  return runsOf(events).flatMap((run) => {
    const [first] = run;
    if (first === undefined) return [];
    const { executionId, logId, tenantId } = first;
    let next = 0;
    return withSameRequests(encodeStored(run)).map((entry) => {
      const own = run.slice(next, next + entry.events);
      next += entry.events;
      return {
        position: own.at(-1)?.position,
        log_id: logId ?? orphanLog(executionId),
        tenant_id: tenantId,
        at_ms: entry.atMs,
        seq: entry.seq,
        actor: actors.placeOf(tenantId, entry),
        events: entry.events,
        types: typeTokens(own),
        request: entry.request,
        body: entry.body,
      };
    });
  });
}

/** Events of one execution in consecutive positions. */
function runsOf(events: readonly OldEvent[]): readonly (readonly OldEvent[])[] {
  const runs: OldEvent[][] = [];
  let last: OldEvent | undefined;
  for (const event of events) {
    const continues =
      last !== undefined &&
      last.position + 1 === event.position &&
      last.executionId === event.executionId &&
      last.tenantId === event.tenantId;
    if (continues) runs.at(-1)?.push(event);
    else runs.push([event]);
    last = event;
  }
  return runs;
}
