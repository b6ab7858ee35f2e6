import { Button } from '../components/button.tsx';
import styles from './connection-state.module.css';
import { useTenantStream } from './tenant-stream.tsx';

const TEXTS = { connecting: 'Connecting …', open: 'Live', waiting: 'Offline', closed: 'Not live' } as const;

/** Whether what the page shows is up to date. */
export function ConnectionState() {
  const { state } = useTenantStream();
  return (
    <div className={styles.state} role="status" data-connection={state.state}>
      <span className={styles[state.state]} aria-hidden="true" /> {TEXTS[state.state]}
      {state.state === 'waiting' && (
        <Button kind="quiet" onClick={state.retryNow}>
          Connect now
        </Button>
      )}
    </div>
  );
}
