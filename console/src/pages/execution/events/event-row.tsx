import { memo } from 'react';
import type { Json } from '../../../../../machines/json.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { duration } from '../../../../../src/views/time.ts';
import { Button } from '../../../components/button.tsx';
import { CopyButton } from '../../../components/copy-button.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Name } from '../../../components/name.tsx';
import { shareableUrl } from '../../../routing/hash-location.ts';
import { useExecutionView } from '../execution-view.ts';
import { ForkButton } from '../forks/fork-button.tsx';
import { eventSummary } from './event-summary.ts';
import styles from './events-tab.module.css';

interface Props {
  readonly event: Event;
  /** Times are shown from this one on. */
  readonly first: Event | undefined;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

export function EventRow({ event, first, isOpen, onToggle }: Props) {
  return (
    <>
      <button type="button" className={styles.head} aria-expanded={isOpen} onClick={onToggle}>
        <Head event={event} startedAt={first?.created_at ?? event.created_at} />
      </button>
      {isOpen && <Opened event={event} />}
    </>
  );
}

/** A row in view is rendered whenever the log grows; its content does not change. */
const Head = memo(function Head({ event, startedAt }: { readonly event: Event; readonly startedAt: string }) {
  const { sequence, type, node_id, actor_id, created_at } = event;
  return (
    <>
      <span className={styles.sequence}>{sequence}</span>
      <span className={styles.time} title={created_at}>
        +{duration(Math.max(0, Date.parse(created_at) - Date.parse(startedAt)))}
      </span>
      <span className={`${styles.type} ${styles[toneOf(type)]}`}>{type}</span>
      <span className={styles.node}>{node_id !== null && <Name text={node_id} maxChars={60} />}</span>
      <span className={styles.summary}>
        <Name text={eventSummary(event)} maxChars={160} />
      </span>
      <span className={styles.actor}>
        <Name text={actor_id} maxChars={30} />
      </span>
    </>
  );
});

function toneOf(type: string): 'failed' | 'completed' | 'paused' | 'plain' {
  if (/failed|rejected|violation|exceeded|limit_hit/.test(type)) return 'failed';
  if (/completed$/.test(type)) return 'completed';
  if (/approval|interrupt|paused|retry|parked|waiting/.test(type)) return 'paused';
  return 'plain';
}

function Opened({ event }: { readonly event: Event }) {
  const { id, execution, openTab, selectNode, setAt } = useExecutionView();
  const { sequence, type, node_id, actor_id, on_behalf_of, created_at, redacted, data } = event;
  return (
    <div className={styles.opened}>
      <dl>
        <dt>At</dt>
        <dd>
          <time dateTime={created_at}>{created_at}</time>
        </dd>
        <dt>By</dt>
        <dd>
          <Name text={actor_id} />
          {on_behalf_of !== undefined && (
            <>
              {' '}
              for <Name text={on_behalf_of} />
            </>
          )}
        </dd>
        {redacted === true && (
          <>
            <dt>Redacted</dt>
            <dd>Personal data was replaced.</dd>
          </>
        )}
      </dl>
      <JsonView value={data as Json} label={`${type} ${sequence}`} />
      <p className={styles.buttons}>
        <Button
          kind="quiet"
          onClick={() => {
            setAt(sequence);
            openTab('state');
          }}
        >
          State here
        </Button>
        {sequence < execution.sequence && <ForkButton at={sequence} />}
        {node_id !== null && (
          <Button kind="quiet" onClick={() => selectNode(node_id)}>
            Show the node
          </Button>
        )}
        <CopyButton text={() => shareableUrl(`/executions/${id}?tab=events&event=${sequence}`)} what="a link to this event" />
      </p>
    </div>
  );
}
