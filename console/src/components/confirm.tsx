import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import dialogStyles from './dialog.module.css';
import { Dialog } from './dialog.tsx';

interface Props {
  /** The question, such as `Delete the job "nightly"?`. */
  readonly title: string;
  /** What the action does, and what it cannot undo. */
  readonly children: ReactNode;
  /** The verb on the button that confirms. */
  readonly action: string;
  /** On the button that closes the dialog. Default `Cancel`. */
  readonly dismiss?: string;
  /** Default `danger`. */
  readonly kind?: 'primary' | 'danger';
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before an action that cannot be undone. Enter does not confirm: the focus is on the button that closes the dialog. */
export function Confirm({ title, children, action, dismiss = 'Cancel', kind = 'danger', onConfirm, onClose }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div className={dialogStyles.actions}>
        <Button onClick={onClose} data-focus>
          {dismiss}
        </Button>
        <Button
          kind={kind}
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
