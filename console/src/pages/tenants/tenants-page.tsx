import { useState } from 'react';
import { Link } from 'wouter';
import type { Tenant } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { messageOf } from '../../components/error-notice.tsx';
import { Field, FieldRow } from '../../components/field.tsx';
import { FormDialog, textOf } from '../../components/form-dialog.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { navigate, useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
import { limitText, usageText } from './limits.ts';

/** The tenants that operators may see: all for those of tenant `default`, else their own. */
export function TenantsPage() {
  const { client, caller } = useSession();
  const [parameters, change] = useParameters();
  const [isCreating, setCreating] = useState(false);
  const list = useFreshQuery({ queryKey: ['tenants'], queryFn: ({ signal }) => client.tenants.list({}, { signal }) });
  const text = parameters.get('find') ?? '';
  const managesAll = caller.tenant_id === 'default';
  return (
    <Page
      title="Tenants"
      actions={
        managesAll && (
          <Button kind="primary" onClick={() => setCreating(true)}>
            New tenant
          </Button>
        )
      }
    >
      {managesAll && (
        <FieldRow label="Filter">
          <Field label="Id or name">
            {(control) => (
              <input {...control} type="search" value={text} onChange={(event) => change({ find: event.target.value })} />
            )}
          </Field>
        </FieldRow>
      )}
      <QueryStates query={list} what="tenants">
        {({ tenants, limit }) => {
          const shown = tenants.filter(({ id, name }) => `${id}\n${name}`.toLowerCase().includes(text.toLowerCase()));
          return (
            <>
              <Table
                label="Tenants"
                rows={shown}
                rowKey={({ id }) => id}
                columns={columnsFor(shown.length)}
                isMuted={isArchived}
              />
              {shown.length === 0 && <p className="muted">No tenant is called so.</p>}
              {shown.length > MAX_WITH_USAGE && (
                <p className="muted">The usage is shown for up to {MAX_WITH_USAGE} tenants: filter the list.</p>
              )}
              {tenants.length === limit && <p className="muted">Only the first {limit.toLocaleString()} by id are listed.</p>}
            </>
          );
        }}
      </QueryStates>
      {isCreating && <NewTenantDialog onClose={() => setCreating(false)} />}
    </Page>
  );
}

const isArchived = ({ status }: Tenant): boolean => status === 'archived';

/** The usage of each is a request of its own. */
const MAX_WITH_USAGE = 25;

function columnsFor(shown: number): readonly Column<Tenant>[] {
  return shown > MAX_WITH_USAGE ? COLUMNS : [...COLUMNS, USAGE];
}

const USAGE: Column<Tenant> = { id: 'usage', header: 'Usage', cell: ({ id }) => <Usage id={id} /> };

function Usage({ id }: { readonly id: string }) {
  const { client } = useSession();
  const query = useFreshQuery({ queryKey: ['tenant', id], queryFn: ({ signal }) => client.tenants.get(id, { signal }) });
  if (query.data === undefined) return query.error === null ? '…' : <span className="muted">{messageOf(query.error)}</span>;
  return usageText(query.data.usage);
}

const COLUMNS: readonly Column<Tenant>[] = [
  { id: 'id', header: 'Id', cell: ({ id }) => <Link href={`/tenants/${id}`}>{id}</Link> },
  { id: 'name', header: 'Name', cell: ({ name }) => <Name text={name} maxChars={80} /> },
  { id: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { id: 'limits', header: 'Limits', cell: ({ limits }) => <span className="muted">{limitText(limits)}</span> },
  {
    id: 'policy',
    header: 'Policy',
    cell: ({ policy }) => (policy === undefined ? '–' : Object.keys(policy).join(', ') || 'empty'),
  },
  { id: 'created', header: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
];

function NewTenantDialog({ onClose }: { readonly onClose: () => void }) {
  const { client } = useSession();
  const create = useAction(
    (values: FormData) => client.tenants.create({ id: textOf(values, 'id') ?? '', name: textOf(values, 'name') ?? '' }),
    ({ id }) => `Tenant ${id} is created.`,
    { errors: 'inline' },
  );
  return (
    <FormDialog
      title="New tenant"
      action="Create"
      isBusy={create.isPending}
      error={create.error}
      onSubmit={(values) => create.mutate(values, { onSuccess: ({ id }) => navigate(`/tenants/${id}`) })}
      onClose={onClose}
    >
      <Field label="Id" hint="At most 128 letters, digits, . _ and -, beginning with a letter or digit. It is never used again.">
        {(control) => (
          <input {...control} name="id" required maxLength={128} pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" autoComplete="off" />
        )}
      </Field>
      <Field label="Name" hint="For people.">
        {(control) => <input {...control} name="name" required maxLength={256} autoComplete="off" />}
      </Field>
      <p className="muted">Limits and a policy are set on the page of the tenant. It begins active and without limits.</p>
    </FormDialog>
  );
}
