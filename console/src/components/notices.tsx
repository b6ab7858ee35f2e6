import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';
import { Button } from './button.tsx';
import { messageOf } from './error-notice.tsx';
import styles from './notices.module.css';

const SHOWN_MS = 6_000;

interface Notice {
  readonly id: number;
  readonly text: ReactNode;
  readonly isError: boolean;
}

interface Notices {
  /** Says what was done; disappears by itself. */
  readonly done: (text: ReactNode) => void;
  /** Says what failed; stays until it is closed. */
  readonly failed: (error: unknown) => void;
}

const NoticesContext = createContext<Notices | null>(null);
let nextId = 1;

/** Outcomes of actions, in a corner of the page. */
export function NoticesProvider({ children }: { readonly children: ReactNode }) {
  const [shown, setShown] = useState<readonly Notice[]>([]);
  const close = useCallback((id: number) => setShown((before) => before.filter((each) => each.id !== id)), []);
  const notices = useMemo((): Notices => {
    const show = (text: ReactNode, isError: boolean): void => {
      const id = nextId++;
      setShown((before) => [...before.slice(-4), { id, text, isError }]);
      if (!isError) setTimeout(() => close(id), SHOWN_MS);
    };
    return { done: (text) => show(text, false), failed: (error) => show(messageOf(error), true) };
  }, [close]);
  return (
    <NoticesContext.Provider value={notices}>
      {children}
      <div className={styles.notices} role="status" aria-live="polite">
        {shown.map(({ id, text, isError }) => (
          <div key={id} className={isError ? styles.failed : styles.done}>
            <span>{text}</span>
            <Button kind="quiet" aria-label="Close" onClick={() => close(id)}>
              ✕
            </Button>
          </div>
        ))}
      </div>
    </NoticesContext.Provider>
  );
}

export function useNotices(): Notices {
  const notices = useContext(NoticesContext);
  if (notices === null) throw new Error('useNotices outside of its provider');
  return notices;
}
