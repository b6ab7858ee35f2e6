import type { JamjetClient, WorkerList } from '../../../../src/client/index.ts';

/** Every page of the list, which is bounded; what waits is that of the first. */
export async function allWorkers(client: JamjetClient, signal: AbortSignal): Promise<WorkerList> {
  const first = await client.workers({}, { signal });
  const workers = [...first.workers];
  for (let cursor = first.next_cursor; cursor !== null; ) {
    const page = await client.workers({ cursor }, { signal });
    workers.push(...page.workers);
    cursor = page.next_cursor;
  }
  return { ...first, workers, next_cursor: null };
}
