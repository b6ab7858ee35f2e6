import { useDeferredValue, useMemo } from 'react';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { Button } from '../../../components/button.tsx';
import { download } from '../../../components/download-button.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useParameters } from '../../../routing/hash-location.ts';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import { FilteredEvents } from './event-filter.ts';
import { EventList } from './event-list.tsx';
import styles from './events-tab.module.css';

/** The log: filters, a list that shows only what is in view, and a download. */
export function EventsTab() {
  const { id, log } = useExecutionView();
  const version = useLogVersion(log, 'events');
  const [parameters, change] = useParameters();
  const type = parameters.get('type') ?? '';
  const node = parameters.get('of') ?? '';
  const text = parameters.get('q') ?? '';
  const sought = useDeferredValue(text);
  const filtered = useMemo(() => new FilteredEvents({ type, node, text: sought }), [type, node, sought]);
  const matching = filtered.update(log.events);
  const { types, nodes } = useNames(log.events, version);

  if (log.sequence === 0) return <Loading what="the log" />;
  return (
    <div className={styles.tab}>
      <search className={styles.filters} aria-label="Filter events">
        <select aria-label="Kind" value={type} onChange={({ target }) => change({ type: target.value })}>
          <option value="">All kinds</option>
          {withChosen(types, type).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <select aria-label="Node" value={node} onChange={({ target }) => change({ of: target.value })}>
          <option value="">All nodes</option>
          {withChosen(nodes, node).map((each) => (
            <option key={each} value={each}>
              {oneLine(each, 60)}
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Text"
          placeholder="Search in events"
          value={text}
          onChange={({ target }) => change({ q: target.value })}
        />
        <span role="status" data-testid="matching">
          {matching.length.toLocaleString()} of {log.events.length.toLocaleString()}
        </span>
      </search>
      {matching.length === 0 ? (
        <Empty title="No event matches">
          <Button onClick={() => change({ type: undefined, of: undefined, q: undefined })}>Show all events</Button>
        </Empty>
      ) : (
        <EventList key={`${type} ${node} ${sought}`} events={matching} count={matching.length}>
          <Button kind="quiet" onClick={() => downloadLines(matching, id)}>
            Download
          </Button>
        </EventList>
      )}
    </div>
  );
}

/** What can be chosen: the names that occur, counted on as the log grows. */
function useNames(events: readonly Event[], version: number) {
  const known = useMemo(() => ({ at: 0, types: new Set<string>(), nodes: new Set<string>(), events }), [events]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the array grows in place, which the version tells
  return useMemo(() => {
    for (; known.at < known.events.length; known.at += 1) {
      const event = known.events[known.at];
      if (event === undefined) continue;
      known.types.add(event.type);
      if (event.node_id !== null) known.nodes.add(event.node_id);
    }
    return { types: [...known.types].sort(), nodes: [...known.nodes].sort() };
  }, [known, version]);
}

/** A link may name what has not occurred yet. */
function withChosen(names: readonly string[], chosen: string): readonly string[] {
  return chosen === '' || names.includes(chosen) ? names : [chosen, ...names];
}

/** JSON lines, as `jamjet events --json` prints them. Made in parts: one text of a long log could be too long. */
function downloadLines(events: readonly Event[], id: string): void {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  download(new Blob(lines, { type: 'application/jsonl' }), `${id}.jsonl`);
}
