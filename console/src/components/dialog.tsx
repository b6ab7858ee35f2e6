import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from './button.tsx';
import styles from './dialog.module.css';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  /** False: only a button of the content closes it. Default true. */
  readonly isClosable?: boolean;
  readonly children: ReactNode;
}

/**
 * A modal dialog, open as long as it is rendered. Escape closes it; the focus returns to where it was. It begins at the first field, or at
 * the element with `data-focus`.
 */
export function Dialog({ title, onClose, isClosable = true, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    const wanted = dialog?.querySelector<HTMLElement>('[data-focus]');
    (wanted ?? dialog?.querySelector<HTMLElement>('input, select, textarea'))?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={styles.dialog}
      aria-labelledby={id}
      // Browsers close a dialog without asking when Escape is pressed again.
      onClose={() => (isClosable ? onClose() : ref.current?.showModal())}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className={styles.header}>
        <h2 id={id}>{title}</h2>
        {isClosable && (
          <Button kind="quiet" aria-label="Close" onClick={onClose}>
            ✕
          </Button>
        )}
      </header>
      {children}
    </dialog>
  );
}
