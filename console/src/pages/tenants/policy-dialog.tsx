import { useState } from 'react';
import { isObject, type Json } from '../../../../machines/json.ts';
import type { TenantDetail } from '../../../../src/client/index.ts';
import type { EditedJson } from '../../components/edited-json.ts';
import { FormDialog } from '../../components/form-dialog.tsx';
import { JsonEditor } from '../../components/json-editor.tsx';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';

const RULES = ['blocked_tools', 'require_approval_for', 'model_allowlist'] as const;
const TEMPLATE = JSON.stringify(Object.fromEntries(RULES.slice(0, 2).map((rule) => [rule, []])), null, 2);

export function PolicyDialog({ tenant, onClose }: { readonly tenant: TenantDetail; readonly onClose: () => void }) {
  const { client } = useSession();
  const initialText = tenant.policy === undefined ? TEMPLATE : JSON.stringify(tenant.policy, null, 2);
  const [edited, setEdited] = useState<EditedJson>({ value: tenant.policy ?? null });
  const save = useAction(
    (policy: Json) => client.tenants.update(tenant.id, { policy }),
    () => `The policy of ${tenant.id} is saved.`,
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title={`Policy of ${tenant.id}`}
      action="Save"
      isBusy={save.isPending}
      error={save.error}
      isValid={'value' in edited}
      onSubmit={() => 'value' in edited && save.mutate(edited.value, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p className="muted">
        <code>blocked_tools</code>, <code>require_approval_for</code> and <code>model_allowlist</code> are lists of globs. They
        apply to every attempt that begins from now on. <code>null</code>: no policy.
      </p>
      <JsonEditor label="Policy" initialText={initialText} onChange={setEdited} check={problemsOf} />
      {'problem' in edited && <p role="alert">{edited.problem}</p>}
    </FormDialog>
  );
}

/** What the server refuses as well, said while it is typed. */
async function problemsOf(policy: Json): Promise<readonly string[]> {
  if (policy === null) return [];
  if (!isObject(policy)) return ['The policy must be an object, or null.'];
  return RULES.flatMap((rule) => {
    const globs = policy[rule];
    const isList = globs === undefined || (Array.isArray(globs) && globs.every((glob) => typeof glob === 'string'));
    return isList ? [] : [`${rule} must be a list of texts.`];
  });
}
