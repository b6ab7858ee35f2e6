import type { WorkerList } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { Name, Names } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/panel.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useSession } from '../../session/session.ts';
import { allWorkers } from './all-workers.ts';
import { InProcess } from './in-process.tsx';
import styles from './workers-page.module.css';

/** A worker counts as idle so long after it was last seen. */
const IDLE_MS = 60_000;

type Worker = WorkerList['workers'][number];
type Waiting = WorkerList['waiting'][number];

export function WorkersPage() {
  const { client } = useSession();
  const list = useLiveQuery({
    queryKey: ['workers'],
    queryFn: ({ signal }) => allWorkers(client, signal),
    // Work is put on a queue, claimed and settled with an event of its node.
    changedBy: ({ node_id }) => node_id !== null,
  });
  const active = list.data?.workers.filter(({ status }) => status === 'active');
  useRefetchAt(
    list,
    active?.map(({ last_seen_at }) => last_seen_at),
    IDLE_MS,
  );
  return (
    <Page
      title="Workers"
      actions={
        <Button disabled={list.isFetching} onClick={() => void list.refetch()}>
          Read again
        </Button>
      }
    >
      <QueryStates query={list} what="workers">
        {({ workers, waiting, in_process: inProcess }) => (
          <>
            <InProcess work={inProcess} />
            <Queues waiting={waiting} />
            <Workers workers={workers} />
          </>
        )}
      </QueryStates>
    </Page>
  );
}

const MAX_COUNTED = 10_000;
const count = (items: number): string =>
  items >= MAX_COUNTED ? `${MAX_COUNTED.toLocaleString()} or more` : items.toLocaleString();

const QUEUE_COLUMNS: readonly Column<Waiting>[] = [
  { header: 'Queue', cell: ({ queue }) => <Name text={queue} /> },
  { header: 'Tool', cell: ({ tool }) => <Name text={tool} /> },
  { header: 'Waiting', align: 'end', cell: ({ waiting }) => count(waiting) },
  { header: 'Oldest item', cell: ({ oldest_at }) => <Time at={oldest_at} /> },
  {
    header: 'Served by',
    isShort: true,
    cell: ({ served_by: by }) =>
      by === 0 ? <StatusBadge status="no worker" tone="failed" /> : by === 1 ? '1 worker' : `${by.toLocaleString()} workers`,
  },
];

/** The work that waits; what no worker does comes first. */
function Queues({ waiting }: { readonly waiting: readonly Waiting[] }) {
  const unserved = waiting.filter(({ served_by }) => served_by === 0);
  const rows = [...unserved, ...waiting.filter(({ served_by }) => served_by > 0)];
  return (
    <Panel title="Waiting work">
      {unserved.length > 0 && (
        <p role="alert" className={styles.unserved}>
          {unserved.length === 1 ? 'One tool is' : `${unserved.length} tools are`} asked for that no worker and no server serves:
          start a worker with {unserved.length === 1 ? 'it' : 'them'}.
        </p>
      )}
      {rows.length === 0 ? (
        <p className="muted">Nothing waits for a worker.</p>
      ) : (
        <Table label="Waiting work" rows={rows} rowKey={({ queue, tool }) => `${queue}\n${tool}`} columns={QUEUE_COLUMNS} />
      )}
    </Panel>
  );
}

const WORKER_COLUMNS: readonly Column<Worker>[] = [
  { header: 'Worker', cell: ({ id }) => <Name text={id} maxChars={80} /> },
  { header: 'Kind', isShort: true, cell: ({ kind }) => (kind === 'external' ? 'worker' : 'server') },
  { header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { header: 'Queues', cell: ({ queues, kind }) => (kind === 'runtime' ? 'in process' : <Names of={queues} />) },
  { header: 'Tools', cell: ({ tools }) => (tools === null ? 'every tool of its queues' : <Names of={tools} />) },
  { header: 'Running', align: 'end', cell: ({ in_flight }) => in_flight.toLocaleString() },
  { header: 'Waits for it', align: 'end', cell: ({ waiting }) => (waiting === 0 ? 'nothing' : count(waiting)) },
  { header: 'Claimed', align: 'end', cell: ({ claimed_total }) => claimed_total.toLocaleString() },
  { header: 'Last seen', cell: ({ last_seen_at }) => <Time at={last_seen_at} /> },
];

function Workers({ workers }: { readonly workers: readonly Worker[] }) {
  const external = workers.filter(({ kind }) => kind === 'external');
  return (
    <Panel title="Workers and servers">
      <Table label="Workers and servers" rows={workers} rowKey={({ kind, id }) => `${kind} ${id}`} columns={WORKER_COLUMNS} />
      {external.length === 0 && (
        <Empty title="No external worker was seen in the last ten minutes">
          <p>
            Tools that this server does not have are done by workers: <code>createWorker</code>, <code>jamjet worker</code>, or
            the SDKs.
          </p>
        </Empty>
      )}
    </Panel>
  );
}
