import { Link } from 'wouter';
import type { StreamState } from '../../../../../src/client/index.ts';
import { CopyButton } from '../../../components/copy-button.tsx';
import { Name } from '../../../components/name.tsx';
import { Page } from '../../../components/page.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Elapsed, Time } from '../../../components/time.tsx';
import { shareableUrl } from '../../../routing/hash-location.ts';
import { useExecutionView } from '../execution-view.ts';
import { useLogVersion } from '../log/use-log-version.ts';
import { Actions } from '../parts.tsx';
import { ExecutionError } from './execution-error.tsx';
import styles from './execution-header.module.css';
import { Relatives } from './relatives.tsx';

export function ExecutionHeader({ stream }: { readonly stream: StreamState }) {
  const { execution } = useExecutionView();
  const { id, workflow_id, workflow_version, created_at, completed_at, labels } = execution;
  return (
    <>
      <Page
        title={`${workflow_id} ${shortId(id)}`}
        heading={
          <span className={styles.heading}>
            <Name text={workflow_id} maxChars={80} /> <Status />
          </span>
        }
        actions={<Actions />}
      >
        <dl className={styles.facts}>
          <div>
            <dt>Execution</dt>
            <dd>
              <code>{id}</code> <CopyButton text={() => id} what="the id" />
              <CopyButton text={() => shareableUrl(location.hash.slice(1))} what="a link to this view" label="Copy link" />
            </dd>
          </div>
          <div>
            <dt>Version</dt>
            <dd>
              <Link href={`/workflows/${encodeURIComponent(workflow_id)}?version=${encodeURIComponent(workflow_version)}`}>
                <Name text={workflow_version} maxChars={40} />
              </Link>
            </dd>
          </div>
          <div>
            <dt>Started</dt>
            <dd>
              <Time at={created_at} />
            </dd>
          </div>
          {execution.start_at !== undefined && (
            <div>
              <dt>{execution.status === 'pending' ? 'Begins' : 'Start at'}</dt>
              <dd>
                <Time at={execution.start_at} />
              </dd>
            </div>
          )}
          <div>
            <dt>Duration</dt>
            <dd>
              <Elapsed from={created_at} to={completed_at} />
            </dd>
          </div>
          <div>
            <dt>Events</dt>
            <dd>
              <EventCount stream={stream} />
            </dd>
          </div>
          {Object.keys(labels).length > 0 && (
            <div>
              <dt>Labels</dt>
              <dd className={styles.labels}>
                {Object.entries(labels).map(([key, value]) => (
                  <Link key={key} href={`/executions?label=${encodeURIComponent(`${key}:${value}`)}`} className={styles.label}>
                    <Name text={`${key}: ${value}`} maxChars={60} />
                  </Link>
                ))}
              </dd>
            </div>
          )}
          <Relatives />
        </dl>
      </Page>
      <ExecutionError />
    </>
  );
}

/** From the log, which is ahead of the API's reply; at an earlier sequence, the graph and the state tab say how it was then. */
function Status() {
  const { execution, log } = useExecutionView();
  useLogVersion(log, 'status');
  const isAhead = log.graph !== null && log.sequence >= execution.sequence;
  const status = isAhead && log.graph !== null ? log.graph.status : execution.status;
  const held = isAhead && log.graph !== null ? log.graph.suspended : execution.held === true;
  return (
    <>
      <StatusBadge status={status} />
      {held && <StatusBadge status="held" />}
    </>
  );
}

function EventCount({ stream }: { readonly stream: StreamState }) {
  const { execution, log } = useExecutionView();
  useLogVersion(log, 'events');
  const isLoading = log.sequence < execution.sequence;
  const count = log.sequence.toLocaleString();
  return (
    <span data-testid="event-count">
      {isLoading ? `${count} of ${execution.sequence.toLocaleString()}` : count}
      {stream.state === 'waiting' && ' (offline)'}
    </span>
  );
}

/** The random end of an id; the rest is its time. */
function shortId(id: string): string {
  return id.slice(-8);
}
