import type { TestedWebhook } from '../../../../src/api/operations/webhooks.ts';
import { duration } from '../../../../src/views/time.ts';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Name } from '../../components/name.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import styles from './ping-result.module.css';

interface Props {
  /** Undefined = not yet answered. */
  readonly result: TestedWebhook | undefined;
  /** Why the server sent no ping; null = it did, or has not answered yet. */
  readonly error: Error | null;
}

/** How the receiver has answered a ping. */
export function PingResult({ result, error }: Props) {
  if (error !== null) return <ErrorNotice error={error} />;
  return (
    <div className={styles.ping} role="status">
      <strong>Ping</strong>
      {result === undefined ? <span>The receiver has ten seconds to answer …</span> : <Answer result={result} />}
    </div>
  );
}

function Answer({ result: { delivered, status, error, duration_ms: ms } }: { readonly result: TestedWebhook }) {
  return (
    <>
      <StatusBadge status={delivered ? 'delivered' : 'failed'} />
      <span>
        {status === null ? 'no response' : `HTTP ${status}`} after {duration(ms)}
      </span>
      {error !== null && <Name text={error} maxChars={500} />}
    </>
  );
}
