import { type ReactNode, useEffect } from 'react';
import styles from './page.module.css';

interface Props {
  readonly title: string;
  /** Shown instead of the title, for example with a status. */
  readonly heading?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of a page: its heading, its actions, and the title of the browser's tab. */
export function Page({ title, heading, actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} · JamJet`;
  }, [title]);
  return (
    <>
      <header className={styles.header}>
        <h1 tabIndex={-1}>{heading ?? title}</h1>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </>
  );
}
