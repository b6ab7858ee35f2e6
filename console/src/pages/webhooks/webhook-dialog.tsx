import { useState } from 'react';
import { CreateWebhook, type UpdatedWebhook } from '../../../../src/api/operations/webhooks.ts';
import type { Webhook } from '../../../../src/client/index.ts';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { SecretDialog } from '../../components/secret.tsx';
import { useWorkflowIds } from '../../live/use-workflow-ids.ts';
import { useSession } from '../../session/session.ts';
import { SECRET_HINT } from './secret-hint.ts';

const ALL = ['*'];

interface Props {
  /** The webhook that is changed; null = a new one. */
  readonly webhook: Webhook | null;
  readonly onClose: () => void;
}

/** Changes a webhook, or creates one and shows its secret once. */
export function WebhookDialog({ webhook, onClose }: Props) {
  const workflowIds = useWorkflowIds();
  const [secret, setSecret] = useState<string | null>(null);
  const { client } = useSession();
  const save = ({ events, enabled, ...given }: CreateWebhook): Promise<UpdatedWebhook> => {
    const fields = { ...given, events: events ?? ALL, enabled: enabled ?? true };
    return webhook === null ? client.webhooks.create(fields) : client.webhooks.update(webhook.id, fields);
  };
  if (secret !== null)
    return <SecretDialog title="The new webhook" what="Secret" secret={secret} hint={SECRET_HINT} onClose={onClose} />;
  return (
    <SchemaDialog
      title={webhook === null ? 'New webhook' : 'Edit the webhook'}
      action={webhook === null ? 'Create' : 'Save'}
      schema={CreateWebhook}
      initial={webhook ?? { events: ALL, enabled: true }}
      fields={() => ({
        url: { label: 'URL', type: 'url' },
        events: 'Events',
        workflow_id: { label: 'Workflow', suggestions: workflowIds },
        description: 'Description',
        enabled: 'Enabled',
      })}
      run={save}
      done={() => (webhook === null ? 'The webhook is created.' : 'The webhook is saved.')}
      onDone={(saved) => (saved.secret === undefined ? onClose() : setSecret(saved.secret))}
      onClose={onClose}
    />
  );
}
