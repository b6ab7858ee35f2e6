import { useState } from 'react';
import type { AuditItem } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { Name } from '../../components/name.tsx';
import { OlderRows } from '../../components/resource/older-rows.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { usePages } from '../../live/use-pages.ts';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { AuditEntryDialog } from './audit-entry-dialog.tsx';
import { AuditFilters } from './audit-filters.tsx';
import { auditQuery, concerns } from './audit-query.ts';
import { ExportButton } from './export-button.tsx';
import { useNewer } from './use-newer.ts';
import { useVerification } from './use-verification.ts';
import { VerificationPanel } from './verification.tsx';

const PAGE = 100;

export function AuditPage() {
  const { client, can } = useSession();
  const [parameters] = useParameters();
  const [shown, setShown] = useState<AuditItem | null>(null);
  const verification = useVerification();
  const filter = auditQuery(parameters);
  const query = usePages({
    queryKey: ['audit', filter],
    readPage: (from, signal) => client.audit.list({ ...filter, limit: PAGE, ...from }, { signal }),
    itemsOf: ({ items }) => items,
  });
  const newer = useNewer(query.dataUpdatedAt, (event) => concerns(filter, event));
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <ResourcePage
      title="Audit"
      label="Audit log"
      actions={
        can('operator') && (
          <>
            {verification.run.isPending ? (
              <Button onClick={verification.stop}>Stop verifying</Button>
            ) : (
              <Button onClick={() => verification.run.mutate()}>Verify the chain</Button>
            )}
            <ExportButton />
          </>
        )
      }
      filters={
        <>
          <AuditFilters known={query.data?.items ?? []} />
          <VerificationPanel verification={verification} />
        </>
      }
      query={query}
      rows={({ items }) => items}
      rowKey={({ id }) => id}
      columns={columnsFor(setShown)}
      summary={({ first: { total } }) => (
        <p className="muted">
          {total.toLocaleString()} {total === 1 ? 'entry' : 'entries'}, newest first.{' '}
          <Button kind="quiet" disabled={query.isFetching} onClick={() => void query.refetch()}>
            {newer === 0 ? 'Read again' : `Show ${newer.toLocaleString()} newer`}
          </Button>
        </p>
      )}
      empty={
        <Empty title={isFiltered ? 'No entry matches' : 'The audit log is empty'}>
          <p>Everything that changes executions, tokens, tenants, agents and cron jobs is recorded here, with its actor.</p>
        </Empty>
      }
    >
      <OlderRows query={query} />
      {shown !== null && <AuditEntryDialog item={shown} onClose={() => setShown(null)} />}
    </ResourcePage>
  );
}

function columnsFor(onShow: (item: AuditItem) => void): readonly Column<AuditItem>[] {
  return [
    { header: 'Event', isShort: true, cell: ({ event_type }) => event_type },
    { header: 'Time', cell: ({ created_at }) => <Time at={created_at} /> },
    { header: 'Actor', cell: (item) => <Actor item={item} /> },
    { header: 'Execution', cell: (item) => <Where item={item} /> },
    { header: 'Request', cell: (item) => <Request item={item} /> },
    {
      header: 'Actions',
      isActions: true,
      cell: (item) => (
        <Button aria-label={`Show ${item.event_type} ${item.id}`} onClick={() => onShow(item)}>
          Show
        </Button>
      ),
    },
  ];
}

function Actor({ item }: { readonly item: AuditItem }) {
  return (
    <>
      <Name text={item.actor_id} maxChars={80} /> <span className="muted">{item.actor_role ?? item.actor_type}</span>
      {item.on_behalf_of !== undefined && (
        <p className="muted">
          on behalf of <Name text={item.on_behalf_of} maxChars={80} />
        </p>
      )}
    </>
  );
}

function Where({ item: { execution_id: id, sequence, raw_event } }: { readonly item: AuditItem }) {
  if (id === null) return <span className="muted">control plane ({sequence})</span>;
  const node = raw_event.node_id;
  return (
    <>
      <ExecutionLink id={id} at={sequence} />{' '}
      <span className="muted">
        ({sequence}) {typeof node === 'string' && <Name text={node} maxChars={80} />}
      </span>
    </>
  );
}

function Request({ item: { http_method: method, http_path: path } }: { readonly item: AuditItem }) {
  if (method === undefined || path === undefined) return '–';
  return (
    <code>
      {method} <Name text={path} maxChars={80} />
    </code>
  );
}
