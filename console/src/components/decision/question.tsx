import type { Json } from '../../../../machines/json.ts';
import { JsonView } from '../json-view.tsx';
import { Name } from '../name.tsx';
import { Time } from '../time.tsx';
import { type Asked, heldCalls } from './asked.ts';
import styles from './decision.module.css';

/** The message, what would be called with which arguments, and how long it has waited. */
export function Question({ asked, input }: { readonly asked: Asked; readonly input: Json | undefined }) {
  const calls = heldCalls(asked.context);
  return (
    <section className={styles.question} aria-label="Question">
      <p className={styles.message}>{asked.message === '' ? <em>No message.</em> : <Message text={asked.message} />}</p>
      <p className={styles.facts}>
        <Name text={asked.node_id} maxChars={80} /> · asked <Time at={asked.waiting_since} />
        {asked.expires_at !== null && (
          <>
            {' '}
            · ends <Time at={asked.expires_at} />
          </>
        )}
      </p>
      {calls.map(({ name, args }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a question do not change
        <div key={i}>
          <h3>
            <Name text={name} />
          </h3>
          {args === undefined ? (
            <p>Its arguments are too large to be shown here; they are in the state.</p>
          ) : (
            <JsonView value={args} label={`arguments of ${name}`} />
          )}
        </div>
      ))}
      {calls.length === 0 && input !== undefined && (
        <div>
          <h3>Arguments</h3>
          <JsonView value={input} label={`arguments of ${asked.tool_name}`} />
        </div>
      )}
    </section>
  );
}

const MAX_MESSAGE = 4_000;

/** A message may have several lines. */
function Message({ text }: { readonly text: string }) {
  const lines = text.slice(0, MAX_MESSAGE).split('\n');
  return lines.map((line, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a message do not change
    <span key={i} className={styles.line}>
      <Name text={line} maxChars={MAX_MESSAGE} />
    </span>
  ));
}
