import type { ReactNode } from 'react';
import styles from './states.module.css';

/** What is shown in place of an empty list: what it would hold, and how to fill it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className={styles.state}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
