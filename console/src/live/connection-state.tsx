import styles from './connection-state.module.css';
import { type Connection, useTenantStream } from './tenant-stream.tsx';

const TEXTS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting …',
  live: 'Live',
  offline: 'Offline: trying again',
};

/** Whether what the page shows is up to date. */
export function ConnectionState() {
  const { connection } = useTenantStream();
  return (
    <p className={styles.state} role="status" data-connection={connection}>
      <span className={styles[connection]} aria-hidden="true" /> {TEXTS[connection]}
    </p>
  );
}
