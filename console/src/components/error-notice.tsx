import { ApiError, Unreachable } from '../../../src/client/index.ts';
import { Button } from './button.tsx';
import styles from './states.module.css';

interface Props {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** A request that failed: what the server said, or that it cannot be reached. */
export function ErrorNotice({ error, onRetry }: Props) {
  return (
    <div className={styles.error} role="alert">
      <p>{messageOf(error)}</p>
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

export function messageOf(error: unknown): string {
  if (error instanceof Unreachable) return 'The server cannot be reached.';
  if (error instanceof ApiError && error.status === 403) return `Not allowed: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
