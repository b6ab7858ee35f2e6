import type { UpdatedWebhook } from '../../../../src/api/operations/webhooks.ts';
import type { Webhook } from '../../../../src/client/index.ts';
import { CheckField, Field } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

interface Props {
  /** The webhook that is changed; null = a new one. */
  readonly webhook: Webhook | null;
  /** With the secret of a new one. */
  readonly onSaved: (webhook: UpdatedWebhook) => void;
  readonly onClose: () => void;
}

export function WebhookDialog({ webhook, onSaved, onClose }: Props) {
  const { client } = useSession();
  const save = useAction(
    (values: FormData): Promise<UpdatedWebhook> => {
      const fields = {
        url: textOf(values, 'url') ?? '',
        events: kindsOf(textOf(values, 'events') ?? '*'),
        workflow_id: textOf(values, 'workflow') ?? null,
        description: textOf(values, 'description') ?? null,
        enabled: values.get('enabled') !== null,
      };
      return webhook === null ? client.webhooks.create(fields) : client.webhooks.update(webhook.id, fields);
    },
    () => (webhook === null ? 'The webhook is created.' : 'The webhook is saved.'),
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title={webhook === null ? 'New webhook' : 'Edit the webhook'}
      action={webhook === null ? 'Create' : 'Save'}
      isBusy={save.isPending}
      error={save.error}
      onSubmit={(values) => save.mutate(values, { onSuccess: onSaved })}
      onClose={onClose}
    >
      <Field label="URL" hint="Receives the events, by POST.">
        {(control) => (
          <input {...control} name="url" type="url" required maxLength={2048} defaultValue={webhook?.url} autoComplete="off" />
        )}
      </Field>
      <Field label="Events" hint="Kinds such as WorkflowCompleted, NodeFailed, separated by commas. Empty: all.">
        {(control) => (
          <input
            {...control}
            name="events"
            defaultValue={textOfKinds(webhook?.events ?? ['*'])}
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Field>
      <Field label="Workflow" hint="Only events of executions of this workflow. Empty: of all.">
        {(control) => <input {...control} name="workflow" defaultValue={webhook?.workflow_id ?? ''} autoComplete="off" />}
      </Field>
      <Field label="Description">
        {(control) => (
          <input {...control} name="description" maxLength={1024} defaultValue={webhook?.description ?? ''} autoComplete="off" />
        )}
      </Field>
      <CheckField label="Enabled" name="enabled" defaultChecked={webhook?.enabled ?? true} />
    </FormDialog>
  );
}

function kindsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((kind) => kind !== '');
}

function textOfKinds(kinds: readonly string[]): string {
  return kinds.length === 1 && kinds[0] === '*' ? '' : kinds.join(', ');
}
