import type { JamjetClient } from '../../client/index.ts';
import type { TimelineEvent } from '../../views/timeline.ts';

const PAGE = 1000;

/** The events of an execution so far, page by page; with `upTo`, none after that sequence. */
export async function readLog(client: JamjetClient, id: string, upTo = Number.POSITIVE_INFINITY): Promise<TimelineEvent[]> {
  const events: TimelineEvent[] = [];
  for (let after = 0; ; ) {
    const page = await client.events(id, { after, limit: PAGE });
    events.push(...page.filter(({ sequence }) => sequence <= upTo));
    after = page.at(-1)?.sequence ?? after;
    if (page.length < PAGE || after >= upTo) return events;
  }
}

/** Why a point is not the one that was asked for. */
export function midStepNote(requested: number, sequence: number): string {
  const where = sequence < requested ? 'the end of the one before' : 'its end, since nothing came before it';
  return `sequence ${requested} is within a step: this is ${where}, ${sequence}`;
}
