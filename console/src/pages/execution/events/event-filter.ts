import type { Event } from '../../../../../src/api/schemas/events.ts';

export interface EventFilter {
  /** Types in snake_case; empty = all. */
  readonly type: string;
  readonly node: string;
  /** Anywhere in the event, in any case. */
  readonly text: string;
}

/** Longer data is searched up to here. */
const MAX_SEARCHED = 20_000;
const searched = new WeakMap<Event, string>();

/** The events that match, which grow with the log: an event is examined once. */
export class FilteredEvents {
  readonly matching: Event[] = [];
  readonly #filter: EventFilter;
  #examined = 0;

  constructor(filter: EventFilter) {
    this.#filter = { ...filter, text: filter.text.toLowerCase() };
  }

  /** Examines what has come since the last call. */
  update(events: readonly Event[]): readonly Event[] {
    for (; this.#examined < events.length; this.#examined += 1) {
      const event = events[this.#examined];
      if (event !== undefined && this.#matches(event)) this.matching.push(event);
    }
    return this.matching;
  }

  #matches(event: Event): boolean {
    const { type, node, text } = this.#filter;
    return (
      (type === '' || event.type === type) &&
      (node === '' || event.node_id === node) &&
      (text === '' || searchedText(event).includes(text))
    );
  }
}

function searchedText(event: Event): string {
  const known = searched.get(event);
  if (known !== undefined) return known;
  const { type, node_id, actor_id, on_behalf_of = '', data } = event;
  const text = `${type} ${node_id ?? ''} ${actor_id} ${on_behalf_of} ${JSON.stringify(data)}`
    .slice(0, MAX_SEARCHED)
    .toLowerCase();
  searched.set(event, text);
  return text;
}
