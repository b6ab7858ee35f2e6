import { useState } from 'react';
import { flushSync } from 'react-dom';
import { Redirect } from 'wouter';
import type { Thread } from '../../../../src/client/index.ts';
import { BackLink } from '../../components/back-link.tsx';
import { Details } from '../../components/details.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { Time } from '../../components/time.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useLastSegment } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { Conversation } from './conversation.tsx';

export function ThreadPage() {
  const id = useLastSegment();
  const [deletedId, setDeletedId] = useState<string | null>(null);
  if (deletedId === id) return <Redirect to="/threads" replace />;
  // At once: what is left of the page would be read again.
  return <ThreadView key={id} id={id} onDeleted={() => flushSync(() => setDeletedId(id))} />;
}

function ThreadView({ id, onDeleted }: { readonly id: string; readonly onDeleted: () => void }) {
  const { client, can } = useSession();
  const query = useLiveQuery({
    queryKey: ['thread', id],
    queryFn: ({ signal }) => client.threads.get(id, { signal }),
    changedBy: ({ kind }) => kind === 'node_completed',
  });
  return (
    <Page
      title={`Thread ${id}`}
      heading={<Name text={id} />}
      actions={
        query.data !== undefined &&
        can('write') && (
          <ActionButton
            label="Delete"
            kind="danger"
            question="Delete the thread?"
            run={() => client.threads.delete(id).then(onDeleted)}
            done={() => 'The thread is deleted.'}
          >
            <p>All of its messages are deleted, and its summary. The logs of the executions stay as they are.</p>
          </ActionButton>
        )
      }
    >
      <BackLink href="/threads">All threads</BackLink>
      <QueryStates query={query} what="the thread">
        {(thread) => (
          <>
            <ThreadDetails thread={thread} />
            <Conversation thread={thread} />
          </>
        )}
      </QueryStates>
    </Page>
  );
}

function ThreadDetails({ thread: { messages, bytes, updated_at, created_at } }: { readonly thread: Thread }) {
  return (
    <Details
      items={[
        ['Messages', messages.toLocaleString()],
        ['Size', `${Math.ceil(bytes / 1024).toLocaleString()} KiB`],
        ['Changed', <Time key="changed" at={updated_at} />],
        ['Created', <Time key="created" at={created_at} />],
      ]}
    />
  );
}
