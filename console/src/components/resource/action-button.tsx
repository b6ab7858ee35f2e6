import { type ReactNode, useState } from 'react';
import { useAction } from '../../shell/use-action.ts';
import { Button } from '../button.tsx';
import { Confirm } from '../confirm.tsx';

interface Props<Output> {
  readonly label: string;
  /** For screen readers, where several rows have the same button. */
  readonly accessibleLabel?: string;
  /** Default `plain`. */
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
  /** False: what is done can be undone. Default true. */
  readonly isFinal?: boolean;
  /** What the action does, and what it cannot undo: below the question. */
  readonly children?: ReactNode;
}

/** A button that changes something on the server, after a question if there is one. */
export function ActionButton<Output>(props: Props<Output>) {
  const { label, accessibleLabel, kind = 'plain', run, done, onDone = () => undefined, question, children } = props;
  const { answer = label, dismiss = 'Cancel', isFinal = true } = props;
  const [isAsking, setAsking] = useState(false);
  const action = useAction<void, Output>(run, done);
  const act = (): void => action.mutate(undefined, { onSuccess: onDone });
  return (
    <>
      <Button
        kind={kind}
        aria-label={accessibleLabel}
        disabled={action.isPending}
        onClick={question === undefined ? act : () => setAsking(true)}
      >
        {label}
      </Button>
      {isAsking && question !== undefined && (
        <Confirm
          title={question}
          action={answer}
          dismiss={dismiss}
          kind={isFinal ? 'danger' : 'primary'}
          onConfirm={act}
          onClose={() => setAsking(false)}
        >
          {children}
        </Confirm>
      )}
    </>
  );
}
