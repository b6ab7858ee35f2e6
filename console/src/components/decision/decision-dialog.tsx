import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { JsonObject } from '../../../../machines/json.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
import { Button } from '../button.tsx';
import dialogStyles from '../dialog.module.css';
import { Dialog } from '../dialog.tsx';
import { ErrorNotice } from '../error-notice.tsx';
import { JsonView } from '../json-view.tsx';
import { Loading } from '../loading.tsx';
import { Name } from '../name.tsx';
import { type EditedState, StateEditor } from '../state/state-editor.tsx';
import type { Asked, Decision } from './asked.ts';
import styles from './decision.module.css';
import { lateDecision } from './late-decision.ts';
import { Question } from './question.tsx';
import { useReview } from './use-review.ts';

interface Props {
  readonly asked: Asked;
  /** What is chosen first; the person may choose otherwise. */
  readonly decision: Decision;
  /** Why it can be decided no longer; null = it can. */
  readonly ended?: string | null;
  /** Called when the server has accepted the decision. */
  readonly onDecided?: (decision: Decision) => void;
  readonly onClose: () => void;
}

const UNCHANGED: EditedState = { patch: {} };

/**
 * Asks for a decision on an approval: shows what it is about, and takes a comment and an edited state, which is sent as a merge patch. Closes
 * when the server has accepted it.
 */
export function DecisionDialog({ asked, decision: first, ended = null, onDecided, onClose }: Props) {
  const { client } = useSession();
  const review = useReview(asked);
  const [decision, setDecision] = useState(first);
  const [comment, setComment] = useState('');
  const [isEditing, setEditing] = useState(false);
  const [edited, setEdited] = useState<EditedState>(UNCHANGED);
  const id = useId();
  const cancel = useRef<HTMLButtonElement>(null);
  // The button that had the focus is disabled then.
  useEffect(() => {
    if (ended !== null) cancel.current?.focus();
  }, [ended]);
  const { execution_id, node_id } = asked;
  const decide = useAction(
    async ({ patch }: { readonly patch: JsonObject }) => {
      const request = {
        decision,
        node_id,
        ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
        ...(Object.keys(patch).length === 0 ? {} : { state_patch: patch }),
      };
      try {
        return await client.approve(execution_id, request);
      } catch (error) {
        throw await lateDecision(client, asked, error);
      }
    },
    () => (
      <>
        <Name text={node_id} maxChars={60} /> {decision}.
      </>
    ),
    { errors: 'inline' },
  );
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const change = isEditing ? edited : UNCHANGED;
    if (!('patch' in change) || ended !== null || decide.isPending) return;
    const onSuccess = (): void => {
      onClose();
      onDecided?.(decision);
    };
    decide.mutate(change, { onSuccess });
  };

  return (
    <Dialog title={asked.kind === 'tool' ? 'Tool call' : 'Approval'} onClose={onClose}>
      <form className={styles.form} onSubmit={submit} onKeyDown={submitOnControlEnter}>
        <Question asked={asked} input={review.data?.input} />
        {review.isPending && <Loading what="the state" />}
        {review.error !== null && <ErrorNotice error={review.error} onRetry={() => void review.refetch()} />}
        {review.data !== undefined && (
          <section className={styles.state} aria-label="State for review">
            <header>
              <h3>{asked.kind === 'tool' ? 'State now' : 'State for review'}</h3>
              <Button kind="quiet" aria-pressed={isEditing} onClick={() => setEditing(!isEditing)}>
                {isEditing ? 'Leave it as it is' : 'Edit the state'}
              </Button>
            </header>
            {isEditing ? (
              <StateEditor state={review.data.state} schema={review.data.schemas.state} onChange={setEdited} />
            ) : (
              <JsonView value={review.data.state} label="state" />
            )}
          </section>
        )}
        <label htmlFor={id}>Comment</label>
        <textarea id={id} rows={2} value={comment} onChange={(event) => setComment(event.target.value)} />
        <fieldset className={styles.decision}>
          <legend className="visually-hidden">Decision</legend>
          <Choice value="approved" label="Approve" chosen={decision} onChoose={setDecision} />
          <Choice value="rejected" label="Reject" chosen={decision} onChoose={setDecision} />
        </fieldset>
        {ended !== null && (
          <p className={styles.ended} role="alert">
            <Name text={ended} maxChars={400} />
          </p>
        )}
        {ended === null && decide.error !== null && <ErrorNotice error={decide.error} />}
        <footer className={dialogStyles.actions}>
          <Button ref={cancel} onClick={onClose}>
            {ended === null ? 'Cancel' : 'Close'}
          </Button>
          <Button
            type="submit"
            kind={decision === 'approved' ? 'primary' : 'danger'}
            // A decision to approve can follow at once; one to reject asks why first.
            data-focus={first === 'approved' ? true : undefined}
            disabled={ended !== null || decide.isPending || (isEditing && !('patch' in edited))}
          >
            {decision === 'approved' ? 'Approve' : 'Reject'}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Enter is a new line in a comment. */
function submitOnControlEnter(event: KeyboardEvent<HTMLFormElement>): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.currentTarget.requestSubmit();
}

interface ChoiceProps {
  readonly value: Decision;
  readonly label: string;
  readonly chosen: Decision;
  readonly onChoose: (decision: Decision) => void;
}

function Choice({ value, label, chosen, onChoose }: ChoiceProps) {
  return (
    <label>
      <input type="radio" name="decision" value={value} checked={chosen === value} onChange={() => onChoose(value)} /> {label}
    </label>
  );
}
