import { Link } from 'wouter';
import { CreateTenant } from '../../../../src/api/operations/tenants.ts';
import type { Tenant } from '../../../../src/client/index.ts';
import { messageOf } from '../../components/error-notice.tsx';
import { FieldRow } from '../../components/field.tsx';
import { Name } from '../../components/name.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { TextFilter } from '../../components/resource/filters.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import { SchemaDialog } from '../../components/resource/schema-dialog.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { navigate, useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { limitText, usageText } from './limits.ts';

/** The tenants that operators may see: all for those of tenant `default`, else their own. */
export function TenantsPage() {
  const { client, caller } = useSession();
  const [parameters] = useParameters();
  const list = useFreshQuery({ queryKey: ['tenants'], queryFn: ({ signal }) => client.tenants.list({}, { signal }) });
  const text = (parameters.get('find') ?? '').toLowerCase();
  const managesAll = caller.tenant_id === 'default';
  const shown = (list.data?.tenants ?? []).filter(({ id, name }) => `${id}\n${name}`.toLowerCase().includes(text));
  const hasUsage = shown.length <= MAX_WITH_USAGE;
  return (
    <ResourcePage
      title="Tenants"
      actions={
        managesAll && (
          <DialogButton label="New tenant" kind="primary">
            {(close) => <NewTenantDialog onClose={close} />}
          </DialogButton>
        )
      }
      filters={
        managesAll && (
          <FieldRow label="Filter">
            <TextFilter name="find" label="Id or name" />
          </FieldRow>
        )
      }
      query={list}
      rows={() => shown}
      rowKey={({ id }) => id}
      columns={hasUsage ? [...COLUMNS, USAGE] : COLUMNS}
      isMuted={({ status }) => status === 'archived'}
      empty={<p className="muted">No tenant is called so.</p>}
      footer={({ tenants, limit }) => (
        <>
          {!hasUsage && <p className="muted">The usage is shown for up to {MAX_WITH_USAGE} tenants: filter the list.</p>}
          {tenants.length === limit && <p className="muted">Only the first {limit.toLocaleString()} by id are listed.</p>}
        </>
      )}
    />
  );
}

/** The usage of each is a request of its own. */
const MAX_WITH_USAGE = 25;

const USAGE: Column<Tenant> = { header: 'Usage', cell: ({ id }) => <Usage id={id} /> };

function Usage({ id }: { readonly id: string }) {
  const { client } = useSession();
  const query = useFreshQuery({ queryKey: ['tenant', id], queryFn: ({ signal }) => client.tenants.get(id, { signal }) });
  if (query.data === undefined) return query.error === null ? '…' : <span className="muted">{messageOf(query.error)}</span>;
  return usageText(query.data.usage);
}

const COLUMNS: readonly Column<Tenant>[] = [
  { header: 'Id', cell: ({ id }) => <Link href={`/tenants/${id}`}>{id}</Link> },
  { header: 'Name', cell: ({ name }) => <Name text={name} maxChars={80} /> },
  { header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { header: 'Limits', cell: ({ limits }) => <span className="muted">{limitText(limits)}</span> },
  { header: 'Policy', cell: ({ policy }) => (policy === undefined ? '–' : Object.keys(policy).join(', ') || 'empty') },
  { header: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
];

function NewTenantDialog({ onClose }: { readonly onClose: () => void }) {
  const { client } = useSession();
  return (
    <SchemaDialog
      title="New tenant"
      action="Create"
      schema={CreateTenant}
      fields={() => ({ id: { label: 'Id', hint: ID_HINT }, name: 'Name' })}
      run={(tenant) => client.tenants.create(tenant)}
      done={({ id }) => `Tenant ${id} is created.`}
      onDone={({ id }) => navigate(`/tenants/${id}`)}
      onClose={onClose}
    >
      <p className="muted">Limits and a policy are set on the page of the tenant. It begins active and without limits.</p>
    </SchemaDialog>
  );
}

const ID_HINT = 'At most 128 letters, digits, . _ and -, beginning with a letter or digit. It is never used again.';
