import type { ReactNode } from 'react';
import { Link } from 'wouter';
import styles from './back-link.module.css';

/** From the page of one thing to the list of all. */
export function BackLink({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  return (
    <p className={styles.back}>
      <Link href={href}>
        <span aria-hidden="true">←</span> {children}
      </Link>
    </p>
  );
}
