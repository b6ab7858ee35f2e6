import type { ReactNode } from 'react';
import { useAction } from '../../shell/use-action.ts';
import { Button } from '../button.tsx';
import { ConfirmButton } from '../confirm.tsx';

interface Props<Output> {
  readonly label: string;
  /** For screen readers, where several rows have the same button. */
  readonly accessibleLabel?: string;
  /** Default `plain`; of a button that asks: the kind of the one that confirms, default `danger`. */
  readonly kind?: 'plain' | 'primary' | 'danger';
  readonly run: () => Promise<Output>;
  /** Says what was done. */
  readonly done: (output: Output) => ReactNode;
  readonly onDone?: (output: Output) => void;
  /** Asked before it acts, such as `Delete the job?`. */
  readonly question?: string | undefined;
  /** The verb that answers the question. Default: the label. */
  readonly answer?: string;
  /** On the button that closes the question. Default `Cancel`. */
  readonly dismiss?: string;
  /** What the action does, and what it cannot undo: below the question. */
  readonly children?: ReactNode;
}

/** A button that changes something on the server, after a question if there is one. */
export function ActionButton<Output>(props: Props<Output>) {
  const {
    label,
    accessibleLabel,
    kind = 'plain',
    run,
    done,
    onDone = () => undefined,
    question,
    answer = label,
    dismiss = 'Cancel',
    children,
  } = props;
  const action = useAction<void, Output>(run, done);
  const act = (): void => action.mutate(undefined, { onSuccess: onDone });
  if (question === undefined)
    return (
      <Button kind={kind} aria-label={accessibleLabel} disabled={action.isPending} onClick={act}>
        {label}
      </Button>
    );
  return (
    <ConfirmButton
      action={answer}
      dismiss={dismiss}
      label={label}
      accessibleLabel={accessibleLabel}
      kind={kind === 'primary' ? 'primary' : 'danger'}
      title={question}
      disabled={action.isPending}
      onConfirm={act}
    >
      {children}
    </ConfirmButton>
  );
}
