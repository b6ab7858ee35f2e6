import { isObject, type Json } from '../../../../machines/json.ts';
import { UpdateTenant } from '../../../../src/api/operations/tenants.ts';
import type { TenantDetail } from '../../../../src/client/index.ts';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { useSession } from '../../session/session.ts';

const RULES = ['blocked_tools', 'require_approval_for', 'model_allowlist'] as const;
const TEMPLATE: Json = { blocked_tools: [], require_approval_for: [] };

export function PolicyDialog({
  tenant: { id, policy },
  onClose,
}: {
  readonly tenant: TenantDetail;
  readonly onClose: () => void;
}) {
  const { client } = useSession();
  return (
    <SchemaDialog
      title={`Policy of ${id}`}
      action="Save"
      schema={UpdateTenant}
      initial={{ policy: policy ?? TEMPLATE }}
      fields={() => ({ policy: { label: 'Policy', check: problemsOf } })}
      run={(change) => client.tenants.update(id, change)}
      done={() => `The policy of ${id} is saved.`}
      onDone={onClose}
      onClose={onClose}
    >
      <p className="muted">It applies to every attempt that begins from now on.</p>
    </SchemaDialog>
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
