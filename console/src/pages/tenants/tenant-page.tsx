import { useParams } from 'wouter';
import type { TenantDetail } from '../../../../src/client/index.ts';
import { BackLink } from '../../components/back-link.tsx';
import { Details } from '../../components/details.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/panel.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';
import { LimitsDialog } from './limits-dialog.tsx';
import { PolicyDialog } from './policy-dialog.tsx';
import { UsageTable } from './usage-table.tsx';

export function TenantPage() {
  const { id = '' } = useParams();
  const { client, caller } = useSession();
  const query = useFreshQuery({ queryKey: ['tenant', id], queryFn: ({ signal }) => client.tenants.get(id, { signal }) });
  const canChange = caller.tenant_id === 'default';
  return (
    <Page
      title={`Tenant ${id}`}
      heading={
        <>
          Tenant <Name text={id} /> {query.data !== undefined && <StatusBadge status={query.data.status} />}
        </>
      }
      actions={query.data !== undefined && canChange && <StatusActions tenant={query.data} />}
    >
      <BackLink href="/tenants">All tenants</BackLink>
      <QueryStates query={query} what="the tenant">
        {(tenant) => <TenantView tenant={tenant} canChange={canChange} />}
      </QueryStates>
    </Page>
  );
}

function TenantView({ tenant, canChange }: { readonly tenant: TenantDetail; readonly canChange: boolean }) {
  const edit = (what: 'limits' | 'policy') =>
    canChange && (
      <DialogButton label={`Edit ${what}`}>
        {(close) =>
          what === 'limits' ? <LimitsDialog tenant={tenant} onClose={close} /> : <PolicyDialog tenant={tenant} onClose={close} />
        }
      </DialogButton>
    );
  return (
    <>
      <Details
        items={[
          ['Name', <Name key="name" text={tenant.name} />],
          ['Created', <Time key="created" at={tenant.created_at} />],
          ['Changed', <Time key="updated" at={tenant.updated_at} />],
          ['Month of the usage', `${tenant.usage.month} (UTC)`],
        ]}
      />
      <Panel title="Usage and limits" actions={edit('limits')}>
        <UsageTable tenant={tenant} />
      </Panel>
      <Panel title="Policy" actions={edit('policy')}>
        {tenant.policy === undefined ? (
          <p className="muted">The tenant has no policy: its workflows are restricted by their own policies only.</p>
        ) : (
          <JsonView value={tenant.policy} label="Policy" />
        )}
      </Panel>
    </>
  );
}

function StatusActions({ tenant: { id, status } }: { readonly tenant: TenantDetail }) {
  const { client } = useSession();
  if (id === 'default') return <span className="muted">Tenant default is always active.</span>;
  return MOVES.filter(({ to }) => to !== status).map(({ to, label, effect }) => (
    <ActionButton
      key={to}
      label={label}
      run={() => client.tenants.update(id, { status: to })}
      done={({ status: now }) => `Tenant ${id} is ${now}.`}
      question={effect && `${label} tenant ${id}?`}
    >
      <p>{effect}</p>
    </ActionButton>
  ));
}

const MOVES = [
  { to: 'active', label: 'Activate', effect: undefined },
  {
    to: 'suspended',
    label: 'Suspend',
    effect: 'Its tokens are refused, and nothing is started or registered for it until it is activated again.',
  },
  {
    to: 'archived',
    label: 'Archive',
    effect:
      'Its tokens are refused, and nothing is started or registered for it. What is stored is kept; it can be activated again.',
  },
] as const;
