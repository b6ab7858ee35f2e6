import { useId } from 'react';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import dialogStyles from './dialog.module.css';
import { Dialog } from './dialog.tsx';
import styles from './secret.module.css';

interface Props {
  readonly title: string;
  /** What the secret is, as its label: `Token`. */
  readonly what: string;
  readonly secret: string;
  readonly hint: string;
  readonly onClose: () => void;
}

const noClose = (): void => undefined;

/** A secret that the server shows only once. Only Done closes the dialog, so that Escape does not lose it. */
export function SecretDialog({ title, what, secret, hint, onClose }: Props) {
  const id = useId();
  return (
    <Dialog title={title} onClose={noClose} isClosable={false}>
      <p>{hint}</p>
      <label className={styles.label} htmlFor={id}>
        {what}
      </label>
      <div className={styles.secret}>
        <input id={id} readOnly value={secret} spellCheck={false} onFocus={(event) => event.target.select()} />
        <CopyButton text={() => secret} what={what} />
      </div>
      <div className={dialogStyles.actions}>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
