import type { HistoryEvent } from '../../../machines/history/event.ts';
import type { JamjetClient } from '../../client/index.ts';

const PAGE = 1000;

/** Reads the event log of an execution, page by page, up to and including the sequence `upTo`. */
export async function readLog(client: JamjetClient, id: string, upTo = Number.POSITIVE_INFINITY): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for (let after = 0; ; ) {
    const page = await client.events(id, { after, limit: PAGE });
    events.push(...page.filter(({ sequence }) => sequence <= upTo));
    after = page.at(-1)?.sequence ?? after;
    if (page.length < PAGE || after >= upTo) return events;
  }
}

/** Explains why the state shown is not that of the requested sequence. */
export function midStepNote(requested: number, sequence: number): string {
  const end = sequence < requested ? 'the end of the previous step' : 'the end of that step, which is the first';
  return `sequence ${requested} is within a step: using ${end}, sequence ${sequence}`;
}
