import { Link } from 'wouter';
import type { Thread } from '../../../../src/client/index.ts';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { OlderRows } from '../../components/resource/older-rows.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { usePages } from '../../live/use-pages.ts';
import { useRefetchOnEvent } from '../../live/use-refetch-on-event.ts';
import { useSession } from '../../session/session.ts';

export function ThreadsPage() {
  const { client } = useSession();
  const query = usePages({
    queryKey: ['threads'],
    readPage: (from, signal) => client.threads.list({ ...from, signal }),
    itemsOf: ({ threads }) => threads,
    refetchOnWindowFocus: 'always',
  });
  useRefetchOnEvent(query, ({ kind }) => kind === 'node_completed');
  return (
    <ResourcePage
      title="Threads"
      query={query}
      rows={({ items }) => items}
      rowKey={({ thread_id }) => thread_id}
      columns={COLUMNS}
      empty={
        <Empty title="There are no threads">
          <p>A thread is a conversation that models and agents continue across executions.</p>
        </Empty>
      }
      footer={() => <OlderRows query={query} />}
    />
  );
}

const COLUMNS: readonly Column<Thread>[] = [
  {
    header: 'Thread',
    cell: ({ thread_id: id }) => (
      <Link href={`/threads/${encodeURIComponent(id)}`}>
        <Name text={id} />
      </Link>
    ),
  },
  { header: 'Messages', align: 'end', cell: ({ messages }) => messages.toLocaleString() },
  {
    header: 'Summarised',
    cell: ({ summarised_sequence: last }) => (last === 0 ? '–' : `up to #${last.toLocaleString()}`),
  },
  { header: 'Changed', cell: ({ updated_at }) => <Time at={updated_at} /> },
  { header: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
];
