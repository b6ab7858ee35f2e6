import styles from './states.module.css';

/** `what` completes `Loading …`. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p className={styles.state} role="status">
      Loading {what} …
    </p>
  );
}
