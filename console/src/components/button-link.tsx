import type { ReactNode } from 'react';
import { Link } from 'wouter';
import styles from './button.module.css';

interface Props {
  /** Path of the console. */
  readonly href: string;
  /** Default `plain`. */
  readonly kind?: 'plain' | 'primary';
  readonly children: ReactNode;
}

/** A link that looks like a button. */
export function ButtonLink({ href, kind = 'plain', children }: Props) {
  return (
    <Link href={href} className={`${styles.button} ${styles[kind]} ${styles.link}`}>
      {children}
    </Link>
  );
}
