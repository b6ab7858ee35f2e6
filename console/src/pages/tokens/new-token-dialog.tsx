import { useState } from 'react';
import { type CreatedToken, CreateToken } from '../../../../src/api/operations/tokens.ts';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { SecretDialog } from '../../components/secret.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';

const ROLES: Readonly<Record<string, string>> = {
  viewer: 'It reads everything of the tenant.',
  reviewer: 'It reads everything of the tenant.',
  developer: 'It also starts and changes executions.',
  operator: 'It also manages tokens, tenants and the audit chain.',
  worker: 'It claims work and reports its outcome, and nothing else.',
};
const LIFETIMES = { '': 'Never', '1h': 'In an hour', '12h': 'In 12 hours', '30d': 'In 30 days', '90d': 'In 90 days', at: 'At …' };

/** Creates a token, and shows its plaintext once. */
export function NewTokenDialog({ onClose }: { readonly onClose: () => void }) {
  const [created, setCreated] = useState<CreatedToken | null>(null);
  const { client, caller, isOfLink } = useSession();
  const managesAll = caller.tenant_id === 'default';
  const list = useFreshQuery({
    queryKey: ['tenants'],
    queryFn: ({ signal }) => client.tenants.list({}, { signal }),
    isEnabled: managesAll,
  });
  if (created !== null)
    return <SecretDialog title="The new token" what="Token" secret={created.token} hint={hintOf(created)} onClose={onClose} />;
  return (
    <SchemaDialog
      title="New token"
      action="Create"
      schema={CreateToken}
      initial={{ role: 'developer', expires_in: '30d' }}
      fields={({ role = '', expires_in }) => ({
        name: 'Name',
        role: { label: 'Role', hint: ROLES[role] },
        expires_in: {
          label: 'Expires',
          hint: isOfLink ? 'With your session at the latest: you signed in by a link.' : null,
          choices: LIFETIMES,
        },
        ...(expires_in === 'at' && { expires_at: { label: 'Expires at', hint: 'Your local time.', type: 'datetime-local' } }),
        ...(role === 'worker' && { queues: 'Queues' }),
        ...(managesAll && {
          tenant_id: {
            label: 'Tenant',
            hint: 'Empty: your own. A token of another tenant is listed there, not here.',
            suggestions: list.data?.tenants.map(({ id }) => id) ?? [],
          },
        }),
      })}
      run={({ expires_in, expires_at, ...token }) =>
        client.createToken({
          ...token,
          ...(expires_at ? { expires_at: new Date(expires_at).toISOString() } : { expires_in: expires_in ?? null }),
        })
      }
      done={({ name, tenant_id: tenant }) =>
        tenant === caller.tenant_id ? `${name} is created.` : `${name} is created for ${tenant}.`
      }
      onDone={setCreated}
      onClose={onClose}
    />
  );
}

function hintOf({ expires_at }: CreatedToken): string {
  const end = expires_at === null ? '' : ` It expires on ${new Date(expires_at).toLocaleString()}.`;
  return `Copy it now: only its hash is stored, so it cannot be shown again.${end}`;
}
