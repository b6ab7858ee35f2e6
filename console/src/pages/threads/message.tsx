import type { JsonObject } from '../../../../machines/json.ts';
import { calledTool, contentText } from '../../../../machines/message-text.ts';
import type { ThreadMessages } from '../../../../src/client/index.ts';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { shownLines } from '../../components/multiline.tsx';
import { Name } from '../../components/name.tsx';
import { Time } from '../../components/time.tsx';
import styles from './conversation.module.css';

type ThreadMessage = ThreadMessages['messages'][number];

const SPEAKERS = { user: 'User', assistant: 'Assistant', tool: 'Tool' } as const;

/** What was said, by whom and when. What tools have reported is collapsed. */
export function Message({ message }: { readonly message: ThreadMessage }) {
  const { role, name, sequence, created_at: at, execution_id: id, tool_calls: calls } = message;
  const text = contentText(message.content);
  return (
    <li className={styles[role]}>
      <p className={styles.head}>
        <strong>{SPEAKERS[role]}</strong>
        {name != null && <Name text={name} maxChars={60} />}
        <span>#{sequence.toLocaleString()}</span>
        <Time at={at} />
        {id !== null && <ExecutionLink id={id} />}
      </p>
      {role === 'tool' ? (
        <details>
          <summary>Result</summary>
          <p className={styles.text}>{shownLines(text)}</p>
        </details>
      ) : (
        text !== '' && <p className={styles.text}>{shownLines(text)}</p>
      )}
      {(calls ?? []).map((call, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a message never change
        <p key={index} className={styles.call}>
          calls <Name text={callText(call)} maxChars={500} />
        </p>
      ))}
    </li>
  );
}

/** Stands after the last message that the summary is for. */
export function SummaryNote({ summary, last }: { readonly summary: string; readonly last: number }) {
  return (
    <li className={styles.summary}>
      <p className={styles.head}>
        <strong>Summary of the messages up to #{last.toLocaleString()}</strong>
      </p>
      <p className={styles.text}>{shownLines(summary)}</p>
    </li>
  );
}

function callText(call: JsonObject): string {
  const { name, args } = calledTool(call);
  return `${name}(${args})`;
}
