import { useMemo, useState } from 'react';
import type { Json } from '../../../../../machines/json.ts';
import { awaitedEvents, nodeKindsOf } from '../../../../../src/views/timeline.ts';
import { Button } from '../../../components/button.tsx';
import type { EditedJson } from '../../../components/edited-json.ts';
import { Field } from '../../../components/field.tsx';
import { FormDialog } from '../../../components/form-dialog.tsx';
import { JsonEditor } from '../../../components/json-editor.tsx';
import { Name } from '../../../components/name.tsx';
import { useRequestKey } from '../../../components/request-key.ts';
import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './actions.module.css';

interface Sent {
  readonly key: string;
  readonly payload: Json;
}

/** Sends an external event: the keys that nodes wait for are offered, others are kept until a node waits for them. */
export function SendEventDialog({ onClose }: { readonly onClose: () => void }) {
  const { id, document, log } = useExecutionView();
  const { client } = useSession();
  const awaited = useMemo(() => [...awaitedEvents(log.history, nodeKindsOf(document))], [document, log]);
  const [key, setKey] = useState(awaited[0]?.[1] ?? '');
  const [payload, setPayload] = useState<EditedJson>({ value: {} });
  const requestKey = useRequestKey();
  const send = useAction(
    (event: Sent) => client.sendEvent(id, event, { idempotencyKey: requestKey(event) }),
    ({ node_id, matched, warnings = [] }) => (
      <>
        {matched && node_id !== null ? (
          <>
            Event delivered to <Name text={node_id} maxChars={60} />.
          </>
        ) : (
          'Event recorded.'
        )}
        {warnings.map(({ code, message }) => (
          <span key={code} className={styles.warning}>
            <Name text={message} maxChars={400} />
          </span>
        ))}
      </>
    ),
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="Send an event"
      action="Send"
      isBusy={send.isPending}
      error={send.error}
      isValid={key !== '' && 'value' in payload}
      onSubmit={() => {
        if ('value' in payload) send.mutate({ key, payload: payload.value }, { onSuccess: onClose });
      }}
      onClose={onClose}
    >
      <div className={styles.form}>
        <Field
          label="Key"
          hint={
            awaited.length === 0 ? 'No node waits for an event now; it is kept for one that will.' : 'Keys that nodes wait for:'
          }
        >
          {(control) => (
            <input
              {...control}
              value={key}
              maxLength={1024}
              required
              onChange={({ target }) => setKey(target.value)}
              data-focus
            />
          )}
        </Field>
        {awaited.length > 0 && (
          <p className={styles.keys}>
            {awaited.map(([node, each]) => (
              <Button key={node} aria-pressed={each === key} onClick={() => setKey(each)}>
                <Name text={each} maxChars={60} />
              </Button>
            ))}
          </p>
        )}
        <div>
          <h3>Payload</h3>
          <JsonEditor label="Payload" initialText={'{}'} onChange={setPayload} />
          {'problem' in payload && <p role="alert">{payload.problem}</p>}
        </div>
      </div>
    </FormDialog>
  );
}
