import { type ReactNode, useState } from 'react';
import { Button } from '../button.tsx';

interface Props {
  readonly label: string;
  /** For screen readers, where several rows have the same button. */
  readonly accessibleLabel?: string;
  /** Default `plain`. */
  readonly kind?: 'plain' | 'primary';
  /** The dialog, which is open until it calls `close`. */
  readonly children: (close: () => void) => ReactNode;
}

/** A button that opens a dialog. */
export function DialogButton({ label, accessibleLabel, kind = 'plain', children }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button kind={kind} aria-label={accessibleLabel} onClick={() => setOpen(true)}>
        {label}
      </Button>
      {isOpen && children(() => setOpen(false))}
    </>
  );
}
