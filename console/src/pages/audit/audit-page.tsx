import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditItem } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
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
  const query = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ signal, pageParam }) =>
      client.audit.list({ ...filter, limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchOnMount: 'always',
    select: ({ pages }) => ({ items: pages.flatMap(({ items }) => items), total: pages[0]?.total ?? 0 }),
  });
  const newer = useNewer(query.dataUpdatedAt, (event) => concerns(filter, event));
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <Page
      title="Audit"
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
    >
      <AuditFilters known={query.data?.items ?? []} />
      <VerificationPanel verification={verification} />
      <QueryStates query={query} what="the audit log">
        {({ items, total }) => (
          <>
            <p className="muted">
              {total.toLocaleString()} {total === 1 ? 'entry' : 'entries'}, newest first.{' '}
              <Button kind="quiet" disabled={query.isFetching} onClick={() => void query.refetch()}>
                {newer === 0 ? 'Read again' : `Show ${newer.toLocaleString()} newer`}
              </Button>
            </p>
            {items.length === 0 ? (
              <Empty title={isFiltered ? 'No entry matches' : 'The audit log is empty'}>
                <p>Everything that changes executions, tokens, tenants, agents and cron jobs is recorded here, with its actor.</p>
              </Empty>
            ) : (
              <Table label="Audit log" rows={items} rowKey={({ id }) => id} columns={columnsFor(setShown)} />
            )}
          </>
        )}
      </QueryStates>
      {query.hasNextPage && (
        <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show older ones
        </Button>
      )}
      {shown !== null && <AuditEntryDialog item={shown} onClose={() => setShown(null)} />}
    </Page>
  );
}

function columnsFor(onShow: (item: AuditItem) => void): readonly Column<AuditItem>[] {
  return [
    { id: 'type', header: 'Event', isShort: true, cell: ({ event_type }) => event_type },
    { id: 'time', header: 'Time', cell: ({ created_at }) => <Time at={created_at} /> },
    { id: 'actor', header: 'Actor', cell: (item) => <Actor item={item} /> },
    { id: 'where', header: 'Execution', cell: (item) => <Where item={item} /> },
    { id: 'request', header: 'Request', cell: (item) => <Request item={item} /> },
    {
      id: 'actions',
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
