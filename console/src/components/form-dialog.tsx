import type { FormEvent, ReactNode } from 'react';
import { Button } from './button.tsx';
import dialogStyles from './dialog.module.css';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './error-notice.tsx';

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  /** The verb on the button. */
  readonly action: string;
  /** On the button that closes the dialog. Default `Cancel`. */
  readonly dismiss?: string;
  readonly isBusy: boolean;
  /** Why the request failed; null = it has not. */
  readonly error: unknown;
  /** Whether the values can be sent. Default true. */
  readonly isValid?: boolean;
  readonly onSubmit: (values: FormData) => void;
  readonly onClose: () => void;
}

/** A form in a dialog. It stays open with its values until the request has succeeded; what failed is said in it. */
export function FormDialog({
  title,
  children,
  action,
  dismiss = 'Cancel',
  isBusy,
  error,
  isValid = true,
  onSubmit,
  onClose,
}: Props) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (isValid && !isBusy) onSubmit(new FormData(event.currentTarget));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {error !== null && <ErrorNotice error={error} />}
        <div className={dialogStyles.actions}>
          <Button onClick={onClose}>{dismiss}</Button>
          <Button type="submit" kind="primary" disabled={isBusy || !isValid}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The text of a field without surrounding spaces; undefined if it is empty. */
export function textOf(values: FormData, name: string): string | undefined {
  const value = values.get(name);
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}
