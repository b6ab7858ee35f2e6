import { useState } from 'react';
import { Link } from 'wouter';
import type { Webhook } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { SecretDialog } from '../../components/secret.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';
import { SECRET_HINT } from './secret-hint.ts';
import { WebhookDialog } from './webhook-dialog.tsx';

export function WebhooksPage() {
  const { client, can } = useSession();
  const [isCreating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const list = useFreshQuery({ queryKey: ['webhooks'], queryFn: ({ signal }) => client.webhooks.list({ signal }) });
  return (
    <Page
      title="Webhooks"
      actions={
        can('write') && (
          <Button kind="primary" onClick={() => setCreating(true)}>
            New webhook
          </Button>
        )
      }
    >
      <QueryStates query={list} what="webhooks">
        {({ webhooks }) =>
          webhooks.length === 0 ? (
            <Empty title="There are no webhooks">
              <p>A webhook sends the events of executions to a URL, signed, in order and at least once.</p>
            </Empty>
          ) : (
            <Table label="Webhooks" rows={webhooks} rowKey={({ id }) => id} columns={COLUMNS} />
          )
        }
      </QueryStates>
      {isCreating && (
        <WebhookDialog
          webhook={null}
          onSaved={(created) => {
            setCreating(false);
            setSecret(created.secret ?? null);
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {secret !== null && (
        <SecretDialog title="The new webhook" what="Secret" secret={secret} hint={SECRET_HINT} onClose={() => setSecret(null)} />
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<Webhook>[] = [
  {
    id: 'url',
    header: 'URL',
    cell: ({ id, url }) => (
      <Link href={`/webhooks/${id}`}>
        <Name text={url} />
      </Link>
    ),
  },
  { id: 'status', header: 'Status', cell: ({ enabled }) => <StatusBadge status={enabled ? 'enabled' : 'disabled'} /> },
  { id: 'events', header: 'Events', cell: ({ events }) => <Name text={eventsText(events)} /> },
  { id: 'workflow', header: 'Workflow', cell: ({ workflow_id: id }) => (id === null ? 'all' : <Name text={id} maxChars={60} />) },
  { id: 'description', header: 'Description', cell: ({ description }) => <Name text={description ?? '–'} /> },
  { id: 'delivered', header: 'Last delivered', cell: ({ last_delivered_at }) => <Time at={last_delivered_at} /> },
  { id: 'failure', header: 'Failures', cell: (webhook) => <Failures webhook={webhook} /> },
];

export function eventsText(events: readonly string[]): string {
  return events.length === 1 && events[0] === '*' ? 'all' : events.join(', ');
}

function Failures({ webhook }: { readonly webhook: Webhook }) {
  const { failures_in_a_row: count, last_failed_at: at, last_failure: reason, disabled_reason: disabled } = webhook;
  if (disabled !== null) return <Name text={disabled} />;
  if (count === 0 || at === null) return '–';
  return (
    <>
      {count.toLocaleString()} in a row, <Time at={at} />
      {reason !== null && (
        <p className="muted">
          <Name text={reason} />
        </p>
      )}
    </>
  );
}
