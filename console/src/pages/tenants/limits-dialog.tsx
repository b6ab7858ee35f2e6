import { TenantLimits } from '../../../../src/api/operations/tenants.ts';
import type { TenantDetail } from '../../../../src/client/index.ts';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { useSession } from '../../session/session.ts';
import { LIMITS } from './limits.ts';

export function LimitsDialog({ tenant, onClose }: { readonly tenant: TenantDetail; readonly onClose: () => void }) {
  const { client } = useSession();
  return (
    <SchemaDialog
      title={`Limits of ${tenant.id}`}
      action="Save"
      schema={TenantLimits}
      initial={tenant.limits ?? {}}
      fields={() => Object.fromEntries(LIMITS.map(({ name, label }) => [name, { label, hint: null }]))}
      run={(limits) => client.tenants.update(tenant.id, { limits: Object.keys(limits).length === 0 ? null : limits })}
      done={() => `The limits of ${tenant.id} are saved.`}
      onDone={onClose}
      onClose={onClose}
    >
      <p className="muted">
        Empty: unlimited. What a call may report is then 100 USD and 10,000,000 tokens; ended executions are kept as the server is
        configured.
      </p>
    </SchemaDialog>
  );
}
