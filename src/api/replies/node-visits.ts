import { NodeItems } from '../../../machines/history/node-items.ts';
import type { NodeVisit } from '../../../machines/history/node-visit.ts';
import { NodeVisits } from '../../../machines/history/node-visits.ts';
import { charsUpTo } from '../../../machines/json-size.ts';
import type { EventView } from '../../runtime/types/executions.ts';
import { timestamp } from '../time.ts';

/** Attempts of a visit that a reply has. */
const MAX_ATTEMPTS = 100;
/** Of the values in a reply, which may have megabytes each. */
const MAX_CHARS = 8 * 1024 * 1024;

export interface VisitsPage {
  readonly visits: readonly NodeVisit[];
  readonly total: number;
  /** Of the last visit, if the node works on a list. */
  readonly items: NodeItems;
}

interface VisitsRequest {
  readonly limit: number;
  readonly before: number;
  readonly hasEnded: boolean;
  /** The item whose attempts are wanted, in place of those of the visits themselves. */
  readonly item?: number | undefined;
}

/** Reads the events of a node and keeps the last visits of it before `before`. Older ones are left out while the reply is too large. */
export async function readVisits(
  events: AsyncIterable<EventView>,
  node: string,
  { limit, before, hasEnded, item }: VisitsRequest,
): Promise<VisitsPage> {
  const kept = new NodeVisits(node, { visits: limit, attempts: MAX_ATTEMPTS }, item);
  const items = new NodeItems();
  let later = 0;
  let last = 0;
  let chars = 0;
  for await (const event of events) {
    const { activation } = event.data;
    if (typeof activation === 'number' && activation >= before) {
      if (activation !== last) later += 1;
      last = activation;
      continue;
    }
    const shown = {
      sequence: event.sequence,
      type: event.type,
      node_id: event.nodeId,
      created_at: timestamp(event.createdAtMs),
      data: event.data,
      ...(event.redacted ? { redacted: true } : {}),
      ...(event.onBehalfOf === null ? {} : { on_behalf_of: event.onBehalfOf }),
    };
    kept.apply(shown);
    items.apply(shown);
    // Of the items, only the one that is asked for keeps its values.
    if (event.data.item !== item) continue;
    chars += charsUpTo(event.data, MAX_CHARS);
    if (chars <= MAX_CHARS) continue;
    do chars = sizeOf(kept.all(false));
    while (chars > MAX_CHARS && kept.dropOldest());
  }
  return { visits: kept.all(hasEnded), total: kept.total + later, items };
}

/** Of a copy: the count of a large value is remembered, and visits change. */
function sizeOf(visits: readonly NodeVisit[]): number {
  return charsUpTo([...visits] as never, 2 * MAX_CHARS);
}
