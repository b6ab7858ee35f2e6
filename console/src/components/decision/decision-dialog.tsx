import { type FormEvent, useId, useState } from 'react';
import type { Json, JsonObject } from '../../../../machines/json.ts';
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
import { Time } from '../time.tsx';
import { type Asked, type Decision, heldCalls } from './asked.ts';
import styles from './decision.module.css';
import { useReview } from './use-review.ts';

interface Props {
  readonly asked: Asked;
  /** What is chosen first; the person may choose otherwise. */
  readonly decision: Decision;
  readonly onClose: () => void;
}

const UNCHANGED: EditedState = { patch: {} };

/**
 * Asks for a decision on an approval: shows what it is about, and takes a comment and an edited state, which is sent as a merge patch. Closes
 * when the server has accepted it.
 */
export function DecisionDialog({ asked, decision: first, onClose }: Props) {
  const { client } = useSession();
  const review = useReview(asked);
  const [decision, setDecision] = useState(first);
  const [comment, setComment] = useState('');
  const [isEditing, setEditing] = useState(false);
  const [edited, setEdited] = useState<EditedState>(UNCHANGED);
  const id = useId();
  const { execution_id, node_id } = asked;
  const decide = useAction(
    ({ patch }: { readonly patch: JsonObject }) =>
      client.approve(execution_id, {
        decision,
        node_id,
        ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
        ...(Object.keys(patch).length === 0 ? {} : { state_patch: patch }),
      }),
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
    if ('patch' in change) decide.mutate(change, { onSuccess: onClose });
  };

  return (
    <Dialog title={asked.kind === 'tool' ? 'Tool call' : 'Approval'} onClose={onClose}>
      <form className={styles.form} onSubmit={submit}>
        <Question asked={asked} mapping={review.data?.mapping} />
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
        {decide.error !== null && <ErrorNotice error={decide.error} />}
        <footer className={dialogStyles.actions}>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind={decision === 'approved' ? 'primary' : 'danger'}
            disabled={decide.isPending || (isEditing && !('patch' in edited))}
          >
            {decision === 'approved' ? 'Approve' : 'Reject'}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
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

/** The message, what would be called with which arguments, and how long it has waited. */
function Question({ asked, mapping }: { readonly asked: Asked; readonly mapping: Json | undefined }) {
  const calls = heldCalls(asked.context);
  return (
    <section className={styles.question} aria-label="Question">
      <p className={styles.message}>{asked.message === '' ? <em>No message.</em> : <Message text={asked.message} />}</p>
      <p className={styles.facts}>
        <Name text={asked.node_id} maxChars={80} /> · asked <Time at={asked.waiting_since} />
        {asked.expires_at !== null && (
          <>
            {' '}
            · until <Time at={asked.expires_at} />
          </>
        )}
      </p>
      {calls.map(({ name, args }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a question do not change
        <div key={i}>
          <h3>
            <Name text={name} />
          </h3>
          {args === undefined ? (
            <p>Its arguments are too large to be shown here; they are in the state.</p>
          ) : (
            <JsonView value={args} label={`arguments of ${name}`} />
          )}
        </div>
      ))}
      {calls.length === 0 && mapping !== undefined && (
        <div>
          <h3>Arguments, from the state</h3>
          <JsonView value={mapping} label={`arguments of ${asked.tool_name}`} />
        </div>
      )}
    </section>
  );
}

const MAX_MESSAGE = 4_000;

/** A message may have several lines. */
function Message({ text }: { readonly text: string }) {
  const lines = text.slice(0, MAX_MESSAGE).split('\n');
  return lines.map((line, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a message do not change
    <span key={i} className={styles.line}>
      <Name text={line} maxChars={MAX_MESSAGE} />
    </span>
  ));
}
