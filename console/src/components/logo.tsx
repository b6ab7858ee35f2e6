import styles from './logo.module.css';

export function Logo() {
  return (
    <span className={styles.logo}>
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="currentColor" />
        <path
          d="M10 8h5v12.5a5 5 0 0 1-8 4l2-3a1.6 1.6 0 0 0 1-1.5zM18 8h5v12.5a5 5 0 0 1-8 4l2-3a1.6 1.6 0 0 0 1-1.5z"
          className={styles.mark}
        />
      </svg>
      JamJet
    </span>
  );
}
