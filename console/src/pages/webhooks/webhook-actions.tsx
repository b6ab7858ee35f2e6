import { useState } from 'react';
import type { Webhook } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { SecretDialog } from '../../components/secret.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
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
  const [isEditing, setEditing] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const enable = useAction(
    () => client.webhooks.update(id, { enabled: !enabled }),
    ({ enabled: isOn }) => (isOn ? 'The webhook is enabled.' : 'The webhook is disabled.'),
  );
  const rotate = useAction(
    () => client.webhooks.update(id, { rotate_secret: true }),
    () => 'The secret is rotated.',
  );
  const remove = useAction(
    async () => {
      await client.webhooks.delete(id);
      onDeleted();
    },
    () => 'The webhook is deleted.',
  );
  return (
    <>
      <Button disabled={isPinging} onClick={onPing}>
        Send a ping
      </Button>
      <Button disabled={enable.isPending} onClick={() => enable.mutate(undefined)}>
        {enabled ? 'Disable' : 'Enable'}
      </Button>
      <Button onClick={() => setEditing(true)}>Edit</Button>
      <ConfirmButton
        action="Rotate"
        label="Rotate secret"
        kind="primary"
        title="Rotate the secret?"
        onConfirm={() => rotate.mutate(undefined, { onSuccess: (updated) => setSecret(updated.secret ?? null) })}
      >
        <p>A new secret is shown once. For 24 hours, messages are signed with the old one as well.</p>
      </ConfirmButton>
      <ConfirmButton action="Delete" title="Delete the webhook?" buttonKind="danger" onConfirm={() => remove.mutate(undefined)}>
        <p>Its pending deliveries are deleted with it. This cannot be undone.</p>
      </ConfirmButton>
      {isEditing && <WebhookDialog webhook={webhook} onSaved={() => setEditing(false)} onClose={() => setEditing(false)} />}
      {secret !== null && (
        <SecretDialog title="The new secret" what="Secret" secret={secret} hint={SECRET_HINT} onClose={() => setSecret(null)} />
      )}
    </>
  );
}
