import type { Thread } from '../../../../src/client/index.ts';
import { Panel } from '../../components/panel.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { OlderRows } from '../../components/resource/older-rows.tsx';
import { usePages } from '../../live/use-pages.ts';
import { useRefetchOnEvent } from '../../live/use-refetch-on-event.ts';
import { useSession } from '../../session/session.ts';
import styles from './conversation.module.css';
import { Message, SummaryNote } from './message.tsx';

const PAGE = 50;

/** The last messages, like a chat: the newest stands at the end, earlier ones are read on demand. */
export function Conversation({ thread }: { readonly thread: Thread }) {
  const { client } = useSession();
  const query = usePages({
    queryKey: ['thread messages', thread.thread_id],
    readPage: async ({ cursor }, signal) => {
      const from = cursor === undefined ? {} : { cursor: Number(cursor) };
      const options = { order: 'desc', limit: PAGE, ...from, signal } as const;
      const { messages, next_cursor: next } = await client.threads.messages(thread.thread_id, options);
      return { messages, next_cursor: next === null ? null : String(next) };
    },
    itemsOf: ({ messages }) => messages,
    refetchOnWindowFocus: 'always',
  });
  useRefetchOnEvent(query, ({ kind }) => kind === 'node_completed');
  const { summary, summarised_sequence: summarised } = thread;
  return (
    <Panel title="Conversation">
      <OlderRows query={query} />
      <QueryStates query={query} what="messages">
        {({ items }) => (
          <ol className={styles.messages} aria-label="Messages">
            {items
              .toReversed()
              .map((message) => [
                <Message key={message.sequence} message={message} />,
                summary !== null && message.sequence === summarised && (
                  <SummaryNote key="summary" summary={summary} last={summarised} />
                ),
              ])}
          </ol>
        )}
      </QueryStates>
    </Panel>
  );
}
