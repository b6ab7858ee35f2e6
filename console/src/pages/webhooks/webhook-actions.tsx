import { useState } from 'react';
import type { Webhook } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { SecretDialog } from '../../components/secret.tsx';
import { useSession } from '../../session/session.ts';
import { SECRET_HINT } from './secret-hint.ts';
import { WebhookDialog } from './webhook-dialog.tsx';

interface Props {
  readonly webhook: Webhook;
  readonly isPinging: boolean;
  readonly onPing: () => void;
  readonly onDeleted: () => void;
}

export function WebhookActions({ webhook: { id, enabled }, webhook, isPinging, onPing, onDeleted }: Props) {
  const { client } = useSession();
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <>
      <Button disabled={isPinging} onClick={onPing}>
        Send a ping
      </Button>
      <ActionButton
        label={enabled ? 'Disable' : 'Enable'}
        run={() => client.webhooks.update(id, { enabled: !enabled })}
        done={({ enabled: isOn }) => (isOn ? 'The webhook is enabled.' : 'The webhook is disabled.')}
      />
      <DialogButton label="Edit">{(close) => <WebhookDialog webhook={webhook} onClose={close} />}</DialogButton>
      <ActionButton
        label="Rotate secret"
        answer="Rotate"
        isFinal={false}
        run={() => client.webhooks.update(id, { rotate_secret: true })}
        done={() => 'The secret is rotated.'}
        onDone={(updated) => setSecret(updated.secret ?? null)}
        question="Rotate the secret?"
      >
        <p>A new secret is shown once. For 24 hours, messages are signed with the old one as well.</p>
      </ActionButton>
      <ActionButton
        label="Delete"
        kind="danger"
        run={() => client.webhooks.delete(id).then(onDeleted)}
        done={() => 'The webhook is deleted.'}
        question="Delete the webhook?"
      >
        <p>Its pending deliveries are deleted with it. This cannot be undone.</p>
      </ActionButton>
      {secret !== null && (
        <SecretDialog title="The new secret" what="Secret" secret={secret} hint={SECRET_HINT} onClose={() => setSecret(null)} />
      )}
    </>
  );
}
