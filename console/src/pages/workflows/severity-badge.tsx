import styles from './severity-badge.module.css';

/** How much a finding matters, as its word on its colour. */
export function SeverityBadge({ severity }: { readonly severity: 'error' | 'warning' | 'info' }) {
  return <span className={`${styles.badge} ${styles[severity]}`}>{severity}</span>;
}
