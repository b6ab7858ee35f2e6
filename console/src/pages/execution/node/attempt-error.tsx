import type { NodeAttempt } from '../../../../../machines/history/node-visit.ts';
import { isObject, type Json } from '../../../../../machines/json.ts';
import { Multiline } from '../../../components/multiline.tsx';
import { Name } from '../../../components/name.tsx';
import styles from './node-panel.module.css';

/** The causes of causes that are shown. */
const MAX_DEPTH = 5;

/** The error of a failed attempt with its stack and its causes. */
export function AttemptError({ attempt }: { readonly attempt: NodeAttempt }) {
  const { error, error_name: name, error_class: kind, http_status: status, stack, cause, errors, retryable } = attempt;
  if (error === undefined) return null;
  const facts = [
    kind === undefined ? '' : `class ${kind}`,
    status === undefined ? '' : `HTTP ${status}`,
    retryable === true ? 'another attempt follows' : 'not retried',
  ];
  return (
    <section className={styles.error} aria-label="Error">
      <p className={styles.message}>
        {name !== undefined && (
          <strong>
            <Name text={name} maxChars={80} />:{' '}
          </strong>
        )}
        <Name text={error} maxChars={4_000} />
      </p>
      <p className={styles.muted}>
        <Name text={facts.filter((fact) => fact !== '').join(' · ')} />
      </p>
      {stack !== undefined && <Multiline text={stack} label="Stack" />}
      {cause !== undefined && <Cause cause={cause} title="Caused by" depth={1} />}
      {Array.isArray(errors) &&
        errors.map((each, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the order does not change
          <Cause key={index} cause={each} title={`Error ${index + 1}`} depth={1} />
        ))}
    </section>
  );
}

function Cause({ cause, title, depth }: { readonly cause: Json; readonly title: string; readonly depth: number }) {
  if (!isObject(cause) || depth > MAX_DEPTH) return null;
  const { name, message, stack } = cause;
  return (
    <div className={styles.cause}>
      <p>
        {title}: <Name text={[name, message].filter((part) => typeof part === 'string').join(': ')} maxChars={2_000} />
      </p>
      {typeof stack === 'string' && <Multiline text={stack} label={`Stack of the cause`} />}
      {cause.cause !== undefined && <Cause cause={cause.cause} title="Caused by" depth={depth + 1} />}
    </div>
  );
}
